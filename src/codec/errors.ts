import type { Segment } from './path.ts'

/**
 * A value cannot travel. Thrown before anything is sent; printing it again gives the same answer, so the way out is
 * the `hint`.
 *
 * @example
 * try {
 *   await node.call(() => socket.write('hello'))
 * } catch (error) {
 *   // call -> socket: a Socket exists only in this process; open it inside the function
 *   if (error instanceof PrintError) console.error(error.path, error.hint)
 * }
 */
export class PrintError extends Error {
  override readonly name = 'PrintError'
  /** The one code of this class. */
  readonly code = 'UNPRINTABLE'
  /** From what was printed to the value at fault: captured names after `->`, properties as written in code. */
  readonly path: string
  /** What the value is: a class name such as `Socket`, or a short noun such as `private method`. */
  readonly kind: string
  /** What to do about it. */
  readonly hint: string

  constructor(path: string, refusal: Refusal) {
    super(`${path}: ${refusal.reason}; ${refusal.hint}`)
    this.path = path
    this.kind = refusal.kind
    this.hint = refusal.hint
  }
}

/** Bytes that are not a printed value, or that exceed a limit. Reading them again gives the same answer. */
export class ReadError extends Error {
  override readonly name = 'ReadError'
  readonly code = 'UNREADABLE'
  /** Where in the bytes reading stopped. */
  readonly offset: number

  constructor(offset: number, problem: string) {
    super(`byte ${offset}: ${problem}`)
    this.offset = offset
  }
}

/** Why a value is refused, before its path is known. */
export interface Refusal {
  readonly kind: string
  readonly reason: string
  readonly hint: string
}

/** Carries a refusal from the place that noticed it to the one that knows the path. */
export class RefusalSignal {
  readonly refusal: Refusal
  /** Where it was noticed, when that is not where the encoder is now. */
  path: readonly Segment[] | undefined

  constructor(refusal: Refusal) {
    this.refusal = refusal
  }
}

export function refuse(kind: string, reason: string, hint: string): never {
  // Not an Error: it never leaves the encoder, and a stack for each would be paid for nothing.
  // oxlint-disable-next-line typescript/only-throw-error
  throw new RefusalSignal({ kind, reason, hint })
}
