/** Which numbers of 0, 1, 2 ... came: one bit each, for a million jobs 128 KiB. The caller bounds the numbers. */
export class NumberSet {
  #bits = new Uint8Array(64)
  #size = 0
  #max = -1

  get size(): number {
    return this.#size
  }

  /** The largest; -1 of none. */
  get max(): number {
    return this.#max
  }

  has(number: number): boolean {
    return ((this.#bits[number >>> 3] ?? 0) & (1 << (number & 7))) !== 0
  }

  /** @returns whether it was not there */
  add(number: number): boolean {
    if (this.has(number)) return false
    const at = number >>> 3
    if (at >= this.#bits.length) {
      const larger = new Uint8Array(Math.max(at + 1, 2 * this.#bits.length))
      larger.set(this.#bits)
      this.#bits = larger
    }
    this.#bits[at]! |= 1 << (number & 7)
    this.#size++
    this.#max = Math.max(this.#max, number)
    return true
  }
}
