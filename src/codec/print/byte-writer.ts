const UINT = 0
const NEGATIVE = 1
const BYTES = 2
const TEXT = 3
const ARRAY = 4
const MAP = 5
const TAGGED = 6

const START_BYTES = 4 * 1024

/** Above this the scratch buffer is given back after use, so that one large value does not stay in memory for ever. */
const KEEP_BYTES = 1024 * 1024

/** Up to this a loop copies faster than a call. */
const FEW_BYTES = 32

/** Longest text whose characters are written one by one: below it the call into Node's encoder costs more. */
const SHORT_TEXT = 40

/** Above this a text is measured before it is written: room for the worst case would be wasted on it. */
const MEASURED_TEXT = 5_000

function headBytes(length: number): number {
  return length < 24 ? 1 : length < 0x100 ? 2 : 3
}

/** Writes the items of RFC 8949 section 3 into one growing buffer. */
export class ByteWriter {
  #buffer = Buffer.allocUnsafeSlow(START_BYTES)
  #view = new DataView(this.#buffer.buffer)
  #length = 0

  get length(): number {
    return this.#length
  }

  reset(): void {
    this.#length = 0
    if (this.#buffer.length > KEEP_BYTES) this.#replace(START_BYTES)
  }

  /** What was written, in memory of its own. */
  take(): Uint8Array {
    const bytes = this.#taken()
    this.reset()
    return bytes
  }

  #taken(): Uint8Array {
    const buffer = this.#buffer
    const length = this.#length
    // A large buffer is given away as it is: the next value begins with a new one.
    if (buffer.length > KEEP_BYTES) return new Uint8Array(buffer.buffer, 0, length)
    if (length > FEW_BYTES) return new Uint8Array(buffer.subarray(0, length))
    const bytes = new Uint8Array(length)
    for (let index = 0; index < length; index++) bytes[index] = buffer[index] as number
    return bytes
  }

  byte(value: number): void {
    this.#reserve(1)
    this.#buffer[this.#length++] = value
  }

  /** @param value any number, -0 and NaN included; whole numbers take their short form */
  number(value: number): void {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
      if (value >= 0) this.#head(UINT, value)
      else this.#head(NEGATIVE, -1 - value)
      return
    }
    this.#reserve(9)
    this.#buffer[this.#length] = 0xfb
    this.#view.setFloat64(this.#length + 1, value)
    this.#length += 9
  }

  bytes(value: Uint8Array): void {
    this.#head(BYTES, value.byteLength)
    this.#reserve(value.byteLength)
    this.#buffer.set(value, this.#length)
    this.#length += value.byteLength
  }

  /** @param value well-formed: no lone surrogates */
  text(value: string): void {
    const units = value.length
    if (units > MEASURED_TEXT) {
      const byteLength = Buffer.byteLength(value)
      this.#head(TEXT, byteLength)
      this.#reserve(byteLength)
      this.#length += this.#buffer.write(value, this.#length, byteLength, 'utf8')
      return
    }
    // Written where it will stand if it is ASCII, and moved if it turns out longer: that is cheaper than to measure first.
    this.#reserve(units * 3 + 3)
    const start = this.#length
    const guess = headBytes(units)
    const byteLength = this.#buffer.write(value, start + guess, units * 3, 'utf8')
    const needed = headBytes(byteLength)
    if (needed !== guess) {
      this.#buffer.copyWithin(start + needed, start + guess, start + guess + byteLength)
    }
    this.#head(TEXT, byteLength)
    this.#length += byteLength
  }

  /** Writes a short text of ASCII, as most keys are; false when it is none, and nothing was written. */
  shortText(value: string): boolean {
    const units = value.length
    if (units > SHORT_TEXT) return false
    this.#reserve(units + 2)
    const buffer = this.#buffer
    let at = this.#length
    if (units < 24) buffer[at++] = 0x60 | units
    else {
      buffer[at++] = 0x78
      buffer[at++] = units
    }
    for (let index = 0; index < units; index++) {
      const code = value.charCodeAt(index)
      if (code > 0x7f) return false
      buffer[at++] = code
    }
    this.#length = at
    return true
  }

  array(count: number): void {
    this.#head(ARRAY, count)
  }

  map(count: number): void {
    this.#head(MAP, count)
  }

  tag(number: number): void {
    this.#head(TAGGED, number)
  }

  #head(major: number, value: number): void {
    this.#reserve(9)
    const buffer = this.#buffer
    const first = major << 5
    if (value < 24) buffer[this.#length++] = first | value
    else if (value < 0x100) {
      buffer[this.#length++] = first | 24
      buffer[this.#length++] = value
    } else if (value < 0x1_0000) {
      buffer[this.#length] = first | 25
      this.#view.setUint16(this.#length + 1, value)
      this.#length += 3
    } else if (value < 0x1_0000_0000) {
      buffer[this.#length] = first | 26
      this.#view.setUint32(this.#length + 1, value)
      this.#length += 5
    } else {
      buffer[this.#length] = first | 27
      this.#view.setBigUint64(this.#length + 1, BigInt(value))
      this.#length += 9
    }
  }

  #reserve(count: number): void {
    const needed = this.#length + count
    if (needed <= this.#buffer.length) return
    const old = this.#buffer
    this.#replace(Math.max(needed, old.length * 2))
    old.copy(this.#buffer, 0, 0, this.#length)
  }

  #replace(size: number): void {
    this.#buffer = Buffer.allocUnsafeSlow(size)
    this.#view = new DataView(this.#buffer.buffer)
  }
}
