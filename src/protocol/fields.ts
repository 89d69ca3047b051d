import { FrameError } from './errors.ts'

/**
 * Reads the fields of a decoded control message. The map comes from somebody who knows the password and nothing more
 * is known about them, so every field is checked for type and size. Fields nobody asks for are skipped.
 */
export class Fields {
  readonly #where: string
  readonly #map: ReadonlyMap<unknown, unknown>

  constructor(where: string, value: unknown) {
    if (!(value instanceof Map)) throw new FrameError(`${where}: expected a map, got ${describe(value)}`)
    this.#where = where
    this.#map = value
  }

  has(name: string): boolean {
    return this.#map.has(name)
  }

  fields(name: string): Fields {
    return new Fields(`${this.#where}.${name}`, this.#map.get(name))
  }

  uint(name: string, max: number = 0xffff_ffff): number {
    const value = this.#map.get(name)
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max) return value
    throw this.#unexpected(name, `a whole number from 0 to ${max}`, value)
  }

  /** Absent counts as false. */
  flag(name: string): boolean {
    const value = this.#map.get(name) ?? false
    if (typeof value === 'boolean') return value
    throw this.#unexpected(name, 'true or false', value)
  }

  text(name: string, maxLength: number): string {
    const value = this.#map.get(name)
    if (typeof value === 'string' && value.length <= maxLength) return value
    throw this.#unexpected(name, `text of at most ${maxLength} characters`, value)
  }

  matching(name: string, pattern: RegExp): string {
    const value = this.#map.get(name)
    if (typeof value === 'string' && pattern.test(value)) return value
    throw this.#unexpected(name, `text like ${pattern}`, value)
  }

  bytes(name: string): Uint8Array {
    const value = this.#map.get(name)
    if (value instanceof Uint8Array) return value
    throw this.#unexpected(name, 'bytes', value)
  }

  list<T>(name: string, maxItems: number, read: (item: unknown, where: string) => T): T[] {
    const value = this.#map.get(name)
    if (!Array.isArray(value) || value.length > maxItems) {
      throw this.#unexpected(name, `a list of at most ${maxItems} items`, value)
    }
    return value.map((item, index) => read(item, `${this.#where}.${name}[${index}]`))
  }

  #unexpected(name: string, expected: string, got: unknown): FrameError {
    return new FrameError(`${this.#where}.${name}: expected ${expected}, got ${describe(got)}`)
  }
}

/** What came, without repeating any of its text: it goes to logs and terminals. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return `text of ${value.length} characters`
  if (Array.isArray(value)) return `a list of ${value.length} items`
  if (value instanceof Uint8Array) return `${value.byteLength} bytes`
  return typeof value === 'number' ? String(value) : value === null ? 'null' : typeof value
}
