// Runs in the worker process: the codec as the runner of jobs needs it.
import type { InspectorSession } from '../../codec/print/inspector-session.ts'
import { ResultPrinter } from '../../codec/print/print-result.ts'
import { Reader } from '../../codec/read/read.ts'
import { trimStack } from '../../codec/stack.ts'

export type JobFunction = (...args: unknown[]) => unknown

/** Reads functions and arguments, prints results and errors. */
export class JobCodec {
  readonly #reader: Reader
  readonly #printer: ResultPrinter
  readonly #blobs = new Map<string, Uint8Array>()
  readonly #ownFile: string
  #undefined: Uint8Array | undefined

  /**
   * @param ownFile this program, as stack traces name it: its lines mean nothing to the author of a job
   * @param inspector looks into functions that jobs made
   */
  constructor(requireBuiltin: (name: string) => unknown, ownFile: string, inspector?: InspectorSession) {
    // The node named every blob by the hash it found itself.
    this.#reader = new Reader({ requireBuiltin, checkHashes: false })
    this.#printer = new ResultPrinter(this.#reader, inspector)
    this.#ownFile = ownFile
  }

  /** A unit, or a function printed once for many jobs: which of them shows when it is used. */
  addBlob(hash: string, bytes: Uint8Array): void {
    this.#blobs.set(hash, bytes)
    this.#reader.addUnit(hash, bytes)
  }

  /** @throws when these bytes are no printed function, or a unit it needs has not come */
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
    return value as unknown[]
  }

  /** @throws when the value cannot travel; the message says which part of it */
  printResult(value: unknown): Uint8Array {
    if (value !== undefined) return this.#printer.print(value)
    // Of functions called for their effect: printed once.
    this.#undefined ??= this.#printer.print(undefined)
    return this.#undefined
  }

  /** What a job threw. An error with something in it that cannot travel goes without that. */
  printError(error: unknown): Uint8Array {
    trimStack(error, [this.#ownFile])
    try {
      return this.#printer.print(error, 'error')
    } catch {
      return this.#printer.print(plainCopy(error), 'error')
    }
  }
}

function plainCopy(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(`a ${typeof error} was thrown that cannot travel`)
  const copy = new Error(text(error.message))
  copy.name = text(error.name)
  copy.stack = text(error.stack)
  const code: unknown = Reflect.get(error, 'code')
  return typeof code === 'string' ? Object.assign(copy, { code }) : copy
}

/** What is declared as text on an error is whatever its thrower put there. */
function text(value: unknown): string {
  return typeof value === 'string' ? value : `(${typeof value})`
}
