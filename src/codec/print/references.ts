/**
 * What a printed value names of the process that printed it: units by the hash of their text, classes and symbols by a
 * number. A result that is kept for another process has them replaced by names which that process can find.
 */
import { ByteWriter } from './byte-writer.ts'
import { Rewriter } from './rewriter.ts'
import { TAG } from '../tags.ts'

export interface ReferenceNames {
  /** Another number for that of a class or symbol; undefined when there is none. */
  number(number: number): number | undefined
  /** 64 hex digits for the hash of a unit; undefined when there are none. */
  unit(hash: string): string | undefined
}

/** @returns the value with other names; undefined when one of them has none */
export function renameReferences(bytes: Uint8Array, names: ReferenceNames): Uint8Array | undefined {
  return new Renaming(bytes, names).renamed()
}

/** The numbers of a value's classes and symbols, in the order in which they first come up. */
export function ownNumbers(bytes: Uint8Array): number[] {
  const numbers = new Set<number>()
  const number = (each: number): number => {
    numbers.add(each)
    return each
  }
  new Renaming(bytes, { number, unit: (hash) => hash }).run()
  return [...numbers]
}

class Renaming extends Rewriter {
  readonly #names: ReferenceNames
  #hasFailed = false

  constructor(bytes: Uint8Array, names: ReferenceNames) {
    super(bytes)
    this.#names = names
  }

  /** Undefined when something has no other name. */
  renamed(): Uint8Array | undefined {
    const bytes = this.run()
    // Without memory that Node keeps for others.
    return this.#hasFailed ? undefined : new Uint8Array(bytes)
  }

  protected override tagged(tag: number): void {
    switch (tag) {
      case TAG.closure:
      case TAG.constructor:
      case TAG.bundled:
      case TAG.made:
        return this.#array(() => this.#unit())
      case TAG.identity:
        return this.#array(() => this.#number())
      case TAG.original:
        return this.#number()
      case TAG.symbol:
        return this.#symbol()
      default:
        return this.item()
    }
  }

  #array(readFirst: () => void): void {
    const count = this.count()
    readFirst()
    this.items(count - 1)
  }

  /** [2, number, description], or [0 or 1, name]. Negative numbers are of symbols made while the job ran. */
  #symbol(): void {
    const count = this.count()
    this.item()
    if (count < 3) return this.items(count - 1)
    if (this.isNegative()) this.item()
    else this.#number()
    this.items(count - 2)
  }

  #number(): void {
    const before = this.reader.offset
    const number = this.#names.number(this.count())
    if (number === undefined) this.#hasFailed = true
    else
      this.replace(
        before,
        written((writer) => writer.number(number))
      )
  }

  #unit(): void {
    const before = this.reader.offset
    const name = this.#names.unit(this.hex())
    if (name === undefined) this.#hasFailed = true
    else
      this.replace(
        before,
        written((writer) => writer.bytes(Buffer.from(name, 'hex')))
      )
  }
}

function written(write: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter()
  write(writer)
  return writer.take()
}
