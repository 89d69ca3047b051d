import { ByteReader } from './byte-reader.ts'
import { readTagged } from './decode-tagged.ts'
import { MAX_DEPTH, TAG, TYPED_ARRAYS } from '../tags.ts'
import type { FunctionReader, ValueReader } from './value-reader.ts'

/**
 * Objects in one value: an empty one has a byte on the wire and 64 in memory, so that a result of some megabytes could fill
 * any memory. Of those that take more, such as maps, an eighth.
 */
const MAX_OBJECTS = 2 ** 24
const DEAR = 8
const DEAR_TAGS: ReadonlySet<number> = new Set(
  TYPED_ARRAYS.map(([, tag]): number => tag).concat(
    [TAG.map, TAG.set, TAG.url, TAG.urlSearchParams, TAG.regexp, TAG.error, TAG.domException, TAG.temporal],
    [TAG.arrayBuffer, TAG.dataView, TAG.buffer, TAG.view, TAG.closure, TAG.constructor, TAG.bound]
  )
)

/**
 * Reads one printed value. Objects are made before their parts are read, so that cycles need no second pass. Memory
 * taken is bounded by the length of the bytes, depth by {@link MAX_DEPTH}.
 */
export class Decoder implements ValueReader {
  readonly reader: ByteReader
  readonly functions: FunctionReader
  readonly #shared: unknown[] = []
  /** Number waiting for the next object made. */
  #pending = -1
  #depth = 0
  #objectsLeft: number

  constructor(bytes: Uint8Array, functions: FunctionReader, maxObjects: number = MAX_OBJECTS) {
    this.#objectsLeft = maxObjects
    this.reader = new ByteReader(bytes)
    this.functions = functions
  }

  /** @throws {ReadError} when the bytes are anything but exactly one value */
  decode(): unknown {
    const value = this.read()
    if (this.reader.remaining > 0)
      this.reader.fail(`${this.reader.remaining} bytes after the end of the value`)
    return value
  }

  read(): unknown {
    const { reader } = this
    const first = reader.first()
    switch (first >> 5) {
      case 0:
        return reader.argument(first)
      case 1:
        return -1 - reader.argument(first)
      case 2:
        this.#count(DEAR)
        return this.register(reader.bytes(first))
      case 3:
        return reader.text(first)
      case 4:
        return this.#array(first)
      case 5:
        return this.#record(first)
      case 6:
        return this.#tagged(reader.argument(first))
      default:
        return this.#simple(first)
    }
  }

  register<T>(object: T): T {
    if (this.#pending !== -1) {
      this.#shared[this.#pending] = object
      this.#pending = -1
    }
    return object
  }

  registerLater<T>(make: () => T): T {
    const pending = this.#pending
    this.#pending = -1
    const object = make()
    if (pending !== -1) this.#shared[pending] = object
    return object
  }

  readAs(type: 'string'): string
  readAs(type: 'number'): number
  readAs(type: 'object'): object
  readAs(type: 'function'): Function
  readAs(type: string): unknown {
    const value = this.read()
    if (typeof value !== type || value === null) this.reader.fail(`expected a ${type}, got ${typeof value}`)
    return value
  }

  readBytes(): Uint8Array<ArrayBuffer> {
    const first = this.reader.first()
    if (first >> 5 !== 2) this.reader.fail('expected bytes')
    return this.reader.bytes(first)
  }

  readCount(expected?: number): number {
    const first = this.reader.first()
    if (first >> 5 !== 4) this.reader.fail('expected an array')
    const count = this.reader.count(first, 1)
    if (expected !== undefined && count !== expected)
      this.reader.fail(`expected ${expected} items, got ${count}`)
    return count
  }

  descend(): void {
    if (++this.#depth > MAX_DEPTH) this.reader.fail(`nested deeper than ${MAX_DEPTH} levels`)
  }

  ascend(): void {
    this.#depth--
  }

  #array(first: number): unknown[] {
    const count = this.reader.count(first, 1)
    this.#count(1)
    const array: unknown[] = this.register([])
    this.descend()
    for (let index = 0; index < count; index++) array.push(this.read())
    this.ascend()
    return array
  }

  #record(first: number): object {
    const count = this.reader.count(first, 2)
    this.#count(1)
    const record: Record<string, unknown> = this.register({})
    this.descend()
    for (let index = 0; index < count; index++) {
      const keyFirst = this.reader.first()
      if (keyFirst >> 5 !== 3) this.reader.fail('expected a text as key')
      const key = this.reader.text(keyFirst)
      const value = this.read()
      if (typeof value === 'function') this.functions.checkProperty(key, false, this)
      // An assignment to `__proto__` would exchange the prototype instead of adding a property.
      if (key === '__proto__') {
        Object.defineProperty(record, key, { value, writable: true, enumerable: true, configurable: true })
      } else record[key] = value
    }
    this.ascend()
    return record
  }

  #tagged(tag: number): unknown {
    this.descend()
    const value = this.#content(tag)
    this.ascend()
    return value
  }

  #content(tag: number): unknown {
    if (tag === TAG.shared) {
      if (this.#pending !== -1) this.reader.fail('a shared value is marked twice')
      this.#pending = this.#shared.length
      this.#shared.push(undefined)
      const value = this.read()
      if (this.#pending !== -1) this.reader.fail('a value without identity is marked as shared')
      return value
    }
    if (tag === TAG.reference) {
      const number = this.readAs('number')
      const value = this.#shared[number]
      if (value === undefined) this.reader.fail(`reference to value ${number}, which has not begun`)
      return value
    }
    this.#count(DEAR_TAGS.has(tag) ? DEAR : 1)
    return readTagged(tag, this)
  }

  #count(objects: number): void {
    this.#objectsLeft -= objects
    if (this.#objectsLeft < 0) this.reader.fail('more objects than fit the memory')
  }

  #simple(first: number): unknown {
    switch (first) {
      case 0xf4:
        return false
      case 0xf5:
        return true
      case 0xf6:
        return null
      case 0xf7:
        return undefined
      case 0xf9:
        return this.reader.float16()
      case 0xfa:
        return this.reader.float32()
      case 0xfb:
        return this.reader.float64()
      default:
        return this.reader.fail(`unknown simple value 0x${first.toString(16)}`)
    }
  }
}
