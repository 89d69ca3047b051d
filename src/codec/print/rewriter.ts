import { ByteReader } from '../read/byte-reader.ts'
import { walkItem, walkItems } from './walk-items.ts'

/** Goes through one printed value, and gives it with some parts replaced. */
export abstract class Rewriter {
  protected readonly reader: ByteReader
  readonly #bytes: Uint8Array
  readonly #parts: Uint8Array[] = []
  #takenTo = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.reader = new ByteReader(bytes)
  }

  run(): Uint8Array {
    this.item()
    this.#parts.push(this.#bytes.subarray(this.#takenTo))
    return Buffer.concat(this.#parts)
  }

  /** Called with each tag, before its content is read. */
  protected abstract tagged(tag: number): void

  protected item(): void {
    walkItem(this.reader, this.#onTag)
  }

  protected items(count: number): void {
    walkItems(this.reader, count, this.#onTag)
  }

  /** The count of an array, or a number. */
  protected count(): number {
    return this.reader.argument(this.reader.first())
  }

  /** A byte string, in hex. */
  protected hex(): string {
    return Buffer.from(this.reader.bytes(this.reader.first()).buffer).toString('hex')
  }

  protected isNegative(): boolean {
    return this.#bytes[this.reader.offset]! >> 5 === 1
  }

  /** Takes what came before an offset, and other bytes in place of what was read since. */
  protected replace(before: number, by: Uint8Array): void {
    this.#parts.push(this.#bytes.subarray(this.#takenTo, before), by)
    this.#takenTo = this.reader.offset
  }

  readonly #onTag = (tag: number): void => this.tagged(tag)
}
