/**
 * What a printed value names of the process that printed it: units by the hash of their text, classes and symbols by a
 * number. A result that is kept for another process has them replaced by names which that process can find.
 */
import { ByteReader } from '../read/byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { TAG } from '../tags.ts'
import { walkItem, walkItems } from './walk-items.ts'

export interface ReferenceNames {
  /** Another number for that of a class or symbol; undefined when there is none. */
  number(number: number): number | undefined
  /** 64 hex digits for the hash of a unit; undefined when there are none. */
  unit(hash: string): string | undefined
}

/** @returns the value with other names; undefined when one of them has none */
export function renameReferences(bytes: Uint8Array, names: ReferenceNames): Uint8Array | undefined {
  return new Renaming(bytes, names).run()
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

class Renaming {
  readonly #bytes: Uint8Array
  readonly #reader: ByteReader
  readonly #names: ReferenceNames
  readonly #parts: Uint8Array[] = []
  #takenTo = 0
  #hasFailed = false

  constructor(bytes: Uint8Array, names: ReferenceNames) {
    this.#bytes = bytes
    this.#reader = new ByteReader(bytes)
    this.#names = names
  }

  run(): Uint8Array | undefined {
    this.#item()
    if (this.#hasFailed) return undefined
    this.#parts.push(this.#bytes.subarray(this.#takenTo))
    return new Uint8Array(Buffer.concat(this.#parts))
  }

  #item(): void {
    walkItem(this.#reader, this.#onTag)
  }

  #items(count: number): void {
    walkItems(this.#reader, count, this.#onTag)
  }

  readonly #onTag = (tag: number): void => this.#tagged(tag)

  #tagged(tag: number): void {
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
        return this.#item()
    }
  }

  #array(readFirst: () => void): void {
    const count = this.#reader.argument(this.#reader.first())
    readFirst()
    this.#items(count - 1)
  }

  /** [2, number, description], or [0 or 1, name]. Negative numbers are of symbols made while the job ran. */
  #symbol(): void {
    const count = this.#reader.argument(this.#reader.first())
    this.#item()
    if (count < 3) return this.#items(count - 1)
    const isNegative = this.#bytes[this.#reader.offset]! >> 5 === 1
    if (isNegative) this.#item()
    else this.#number()
    this.#items(count - 2)
  }

  #number(): void {
    const before = this.#reader.offset
    const number = this.#names.number(this.#reader.argument(this.#reader.first()))
    if (number === undefined) this.#hasFailed = true
    else
      this.#replace(
        before,
        written((writer) => writer.number(number))
      )
  }

  #unit(): void {
    const before = this.#reader.offset
    const hash = Buffer.from(this.#reader.bytes(this.#reader.first()).buffer).toString('hex')
    const name = this.#names.unit(hash)
    if (name === undefined) this.#hasFailed = true
    else
      this.#replace(
        before,
        written((writer) => writer.bytes(Buffer.from(name, 'hex')))
      )
  }

  #replace(before: number, by: Uint8Array): void {
    this.#parts.push(this.#bytes.subarray(this.#takenTo, before), by)
    this.#takenTo = this.#reader.offset
  }
}

function written(write: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter()
  write(writer)
  return writer.take()
}
