import { Encoder } from './encode.ts'
import { PrintError, RefusalSignal } from '../errors.ts'
import type { InspectorSession } from './inspector-session.ts'
import { formatPath } from '../path.ts'
import type { Reader } from '../read/read.ts'
import { ResultFunctions } from './result-functions.ts'

/**
 * Prints results and errors of jobs. Runs in the worker process, which has no parser. Functions and classes that the
 * reader of the same process read go back as what they came as.
 */
export class ResultPrinter {
  readonly #encoder: Encoder
  readonly #functions: ResultFunctions

  /** @param session looks into functions that jobs made; without, they are refused */
  constructor(reader: Reader, session?: InspectorSession) {
    this.#functions = new ResultFunctions(reader, session)
    this.#encoder = new Encoder(this.#functions)
  }

  /** @throws {PrintError} when the value holds something that cannot travel */
  print(value: unknown, path = 'result'): Uint8Array {
    this.#functions.begin()
    for (;;) {
      try {
        return this.#encoder.encode(value)
      } catch (error) {
        // Each time with one more variable shared, or one more class that does not travel: so it ends.
        if (this.#functions.beginAgain(error)) continue
        if (error instanceof RefusalSignal)
          throw new PrintError(formatPath(path, this.#encoder.path), error.refusal)
        throw error
      }
    }
  }
}
