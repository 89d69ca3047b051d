import { readFileSync } from 'node:fs'

/** This package's version; the library has it too, but loading that takes longer than to say it. */
export const VERSION: string = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version
