import { ReadError } from '../errors.ts'

/** Longest text whose characters are read one by one: below it the call into Node's decoder costs more. */
const SHORT_TEXT = 24

/** Reads the items of RFC 8949 section 3. Every length is checked against the bytes that are left before it is believed. */
export class ByteReader {
  readonly #bytes: Uint8Array
  /** Made when a float or a large number asks for it: most values are small, and there may be a million of them. */
  #lazyView: DataView | undefined
  #offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get #view(): DataView {
    const { buffer, byteOffset, byteLength } = this.#bytes
    return (this.#lazyView ??= new DataView(buffer, byteOffset, byteLength))
  }

  get offset(): number {
    return this.#offset
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset
  }

  /** The first byte of an item: major type in the upper three bits. */
  first(): number {
    if (this.#offset >= this.#bytes.length) this.fail('the value is cut short')
    return this.#bytes[this.#offset++] as number
  }

  /** The number that belongs to a first byte: a value, a length, a count or a tag. */
  argument(first: number): number {
    const information = first & 0x1f
    if (information < 24) return information
    const start = this.#offset
    if (information === 24) {
      this.#advance(1)
      return this.#bytes[start] as number
    }
    if (information === 25) {
      this.#advance(2)
      return ((this.#bytes[start] as number) << 8) | (this.#bytes[start + 1] as number)
    }
    if (information === 26) {
      this.#advance(4)
      const bytes = this.#bytes
      const low =
        ((bytes[start + 1] as number) << 16) |
        ((bytes[start + 2] as number) << 8) |
        (bytes[start + 3] as number)
      return (bytes[start] as number) * 0x1_00_0000 + low
    }
    if (information !== 27) return this.fail('indefinite lengths are not used in printed values')
    this.#advance(8)
    const value = this.#view.getBigUint64(start)
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) this.fail(`${value} is larger than any number printed`)
    return Number(value)
  }

  /** @param itemBytes the least number of bytes one of them takes */
  count(first: number, itemBytes: number): number {
    const count = this.argument(first)
    if (count * itemBytes > this.remaining)
      this.fail(`${count} items announced, ${this.remaining} bytes left`)
    return count
  }

  float16(): number {
    const start = this.#offset
    this.#advance(2)
    const half = this.#view.getUint16(start)
    const exponent = (half >> 10) & 0x1f
    const fraction = half & 0x3ff
    const sign = half & 0x8000 ? -1 : 1
    if (exponent === 0) return sign * fraction * 2 ** -24
    if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
  }

  float32(): number {
    const start = this.#offset
    this.#advance(4)
    return this.#view.getFloat32(start)
  }

  float64(): number {
    const start = this.#offset
    this.#advance(8)
    return this.#view.getFloat64(start)
  }

  /** A copy, in a buffer of its own. */
  bytes(first: number): Uint8Array<ArrayBuffer> {
    const length = this.count(first, 1)
    const start = this.#offset
    this.#advance(length)
    return new Uint8Array(new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + start, length))
  }

  text(first: number): string {
    const length = this.count(first, 1)
    const start = this.#offset
    this.#advance(length)
    if (length <= SHORT_TEXT) {
      const text = this.#shortAscii(start, length)
      if (text !== undefined) return text
    }
    const { buffer, byteOffset } = this.#bytes
    return Buffer.from(buffer, byteOffset + start, length).toString('utf8')
  }

  skip(count: number): void {
    this.#advance(count)
  }

  fail(problem: string): never {
    throw new ReadError(this.#offset, problem)
  }

  #shortAscii(start: number, length: number): string | undefined {
    let text = ''
    for (let index = start; index < start + length; index++) {
      const code = this.#bytes[index] as number
      if (code > 0x7f) return undefined
      text += String.fromCharCode(code)
    }
    return text
  }

  #advance(count: number): void {
    if (count > this.remaining) this.fail(`${count} bytes announced, ${this.remaining} left`)
    this.#offset += count
  }
}
