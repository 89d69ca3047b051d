import { Decoder } from './decode.ts'
import type { FunctionReader } from './value-reader.ts'

/** Takes no functions. A symbol of its own arrives as a new one. */
const DATA_ONLY: FunctionReader = {
  readFunction: (tag, decoder) => decoder.reader.fail(`tag ${tag} is not plain data`),
  symbol: (_identity, description) => Symbol(description),
  checkProperty: (key, _isAccessor, decoder) =>
    decoder.reader.fail(`the property ${String(key)} is not plain data`),
  // All there is was made of these bytes.
  checkChange: () => {},
  mapStack: (stack) => stack
}

/**
 * Reads a printed value that holds no functions. Safe with bytes from anybody: no code runs, no class of the program is
 * instantiated, and the memory taken is bounded by the length of the bytes.
 *
 * @throws {ReadError} when the bytes are anything but one value, nest deeper than 1,000 levels or hold a function
 */
export function readData(bytes: Uint8Array): unknown {
  return new Decoder(bytes, DATA_ONLY).decode()
}
