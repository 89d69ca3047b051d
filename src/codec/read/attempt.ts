import type { ValueReader } from './value-reader.ts'

/** What the language refuses to make from hostile bytes is an error of the bytes. */
export function attempt<T>(decoder: ValueReader, make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (error instanceof Error && error.name === 'ReadError') throw error
    return decoder.reader.fail(error instanceof Error ? error.message : String(error))
  }
}
