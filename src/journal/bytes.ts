/** Bytes of segments: numbers of variable length (LEB128), bytes, and texts that are written out only once. */
import { JournalError } from './errors.ts'

const decoder = new TextDecoder()
const encoder = new TextEncoder()

const START_BYTES = 64 * 1024

export class SegmentBytes {
  #bytes = allocate(START_BYTES)
  #length = 0
  readonly #texts = new Map<string, number>()

  get length(): number {
    return this.#length
  }

  number(value: number): void {
    this.#reserve(8)
    let rest = value
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80
      // A shift would cut it to 32 bits.
      rest = rest > 0x7fff_ffff ? Math.floor(rest / 128) : rest >>> 7
    }
    this.#bytes[this.#length++] = rest
  }

  bytes(value: Uint8Array): void {
    const count = value.length
    this.number(count)
    this.#reserve(count)
    const bytes = this.#bytes
    const from = this.#length
    // Copying in place beats the call for the few bytes most values have.
    if (count < 32) for (let at = 0; at < count; at++) bytes[from + at] = value[at]!
    else bytes.set(value, from)
    this.#length += count
  }

  text(value: string): void {
    const known = this.#texts.get(value)
    if (known !== undefined) return this.number(known)
    this.number(0)
    this.bytes(encoder.encode(value))
    this.#texts.set(value, this.#texts.size + 1)
  }

  /** All of it; writing begins anew. */
  take(): Uint8Array {
    const written = this.#bytes.subarray(0, this.#length)
    // A large buffer is given away as it is: copying a megabyte is most of the work.
    const isLarge = this.#bytes.length > START_BYTES
    const taken = isLarge ? written : new Uint8Array(written)
    if (isLarge) this.#bytes = allocate(START_BYTES)
    this.#length = 0
    this.#texts.clear()
    return taken
  }

  #reserve(count: number): void {
    const needed = this.#length + count
    if (needed <= this.#bytes.length) return
    const grown = allocate(Math.max(needed, this.#bytes.length * 2))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
  }
}

/** Not filled with zeros: all of it that is ever read is written before. */
function allocate(count: number): Uint8Array {
  return new Uint8Array(Buffer.allocUnsafeSlow(count).buffer)
}

export class SegmentReader {
  readonly #bytes: Uint8Array
  #offset = 0
  readonly #texts: string[] = []

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#bytes.length
  }

  number(): number {
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#bytes[this.#offset++]
      if (byte === undefined || factor > 2 ** 49)
        throw new JournalError('JOURNAL_DAMAGED', 'a segment ends too early')
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
    }
  }

  /** A view, no copy. */
  bytes(): Uint8Array {
    const count = this.number()
    const from = this.#offset
    this.#offset += count
    if (this.#offset > this.#bytes.length) {
      throw new JournalError('JOURNAL_DAMAGED', 'a segment ends too early')
    }
    return this.#bytes.subarray(from, this.#offset)
  }

  text(): string {
    const number = this.number()
    if (number > 0) {
      const known = this.#texts[number - 1]
      if (known === undefined) throw new JournalError('JOURNAL_DAMAGED', `a segment has no text ${number}`)
      return known
    }
    const text = decoder.decode(this.bytes())
    this.#texts.push(text)
    return text
  }
}
