// Runs in the worker process: the codec as a job's runner needs it.
import { Printer } from '../../codec/print.ts'
import { Reader } from '../../codec/read.ts'

export type JobFunction = (...args: unknown[]) => unknown

/** Reads functions and arguments, prints results and errors. */
export class JobCodec {
  readonly #reader: Reader
  readonly #printer = new Printer()
  readonly #blobs = new Map<string, Uint8Array>()

  constructor(requireBuiltin: (id: string) => unknown) {
    this.#reader = new Reader({ requireBuiltin })
  }

  /** A unit, or a function printed once for many jobs: which of them shows when it is used. */
  addBlob(hash: string, bytes: Uint8Array): void {
    this.#blobs.set(hash, bytes)
    this.#reader.addUnit(hash, bytes)
  }

  readFunction(body: Uint8Array): JobFunction {
    const value = this.#reader.read(body)
    if (typeof value !== 'function') throw new TypeError(`expected a printed function, got ${typeof value}`)
    return value as JobFunction
  }

  readHead(hash: string): JobFunction {
    const blob = this.#blobs.get(hash)
    if (blob === undefined) throw new Error(`the blob ${hash} of this batch has not come`)
    return this.readFunction(blob)
  }

  readArguments(body: Uint8Array): unknown[] {
    const value = this.#reader.read(body)
    if (!Array.isArray(value))
      throw new TypeError(`expected a printed array of arguments, got ${typeof value}`)
    return value
  }

  printResult(value: unknown): Uint8Array {
    return this.#printer.printData(value)
  }

  printError(error: unknown): Uint8Array {
    return this.#printer.printData(error)
  }
}
