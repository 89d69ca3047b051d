import { existsSync, statSync } from 'node:fs'
import { extname } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { resolvePaths } from './tsconfig.ts'

const EXTENSIONS = ['.ts', '.tsx', '.mts', '.cts', '.js', '.jsx', '.mjs', '.cjs', '.json']

/** As compilers and bundlers resolve, and Node does not: without extension, by another's extension, through `paths`. */
export function resolveLoosely(specifier: string, parentUrl: string | undefined): string | undefined {
  if (parentUrl?.startsWith('file:') !== true) return undefined
  const parent = fileURLToPath(parentUrl)
  const candidates = /^\.{0,2}\/|^\.{1,2}$|^file:/.test(specifier)
    ? [fileURLToPath(new URL(specifier, parentUrl))]
    : resolvePaths(specifier, parent)
  for (const candidate of candidates) {
    const found = findFile(candidate)
    if (found !== undefined) return pathToFileURL(found).href
  }
  return undefined
}

function findFile(path: string): string | undefined {
  const asTypeScript = path.replace(/\.([mc]?)js(x?)$/, '.$1ts$2')
  const guesses = [
    ...(extname(path) === '' ? [] : [path, asTypeScript]),
    ...EXTENSIONS.map((extension) => `${path}${extension}`),
    ...EXTENSIONS.map((extension) => `${path}/index${extension}`)
  ]
  return guesses.find((guess) => existsSync(guess) && statSync(guess).isFile())
}
