import { types } from 'node:util'
import { ByteWriter } from './byte-writer.ts'
import { refuse } from '../errors.ts'
import { encodeObject } from './encode-object.ts'
import { ACCESSOR, isDense, type Property, readRecord } from './properties.ts'
import type { Segment } from '../path.ts'
import { Pending, pendingAll, type Postponed } from './pending.ts'
import { MAX_DEPTH, TAG } from '../tags.ts'
import type { FunctionWriter, ValueWriter } from './value-writer.ts'

/**
 * Writes values as CBOR (RFC 8949). One pass: an object met a second time makes a second pass, which marks what is
 * shared, because most values share nothing and should not pay for it.
 */
export class Encoder implements ValueWriter {
  readonly writer = new ByteWriter()
  readonly functions: FunctionWriter
  readonly path: Segment[] = []
  /** The first object met: values of one object, as most arguments are, leave the set alone. */
  #first: object | undefined
  readonly #seen = new Set<object>()
  readonly #repeated = new Set<object>()
  /** In the second pass: number of each shared object, -1 before its first appearance. */
  #numbers: Map<object, number> | undefined
  #nextNumber = 0
  #depth = 0
  readonly #postponed: Postponed[] = []

  constructor(functions: FunctionWriter) {
    this.functions = functions
  }

  /**
   * @throws {RefusalSignal} with {@link path} at the value at fault
   * @throws {Pending} when something has to be found out first: then again
   */
  encode(value: unknown): Uint8Array {
    return this.#encode(value, false)
  }

  /**
   * The same for an array that will be spread into a call: what it has besides its elements means nothing then, and
   * is not looked for.
   *
   * @throws like {@link encode}
   */
  encodeArguments(args: readonly unknown[]): Uint8Array {
    return this.#encode(args, true)
  }

  #encode(value: unknown, isArguments: boolean): Uint8Array {
    try {
      this.path.length = 0
      this.#depth = 0
      if (isArguments) this.#arguments(value as readonly unknown[])
      else this.write(value)
      // oxlint-disable-next-line typescript/only-throw-error
      if (this.#postponed.length > 0) throw pendingAll(this.#postponed)
      if (this.#repeated.size > 0) this.#encodeShared(value)
      return this.writer.take()
    } finally {
      this.writer.reset()
      this.#first = undefined
      if (this.#seen.size > 0) this.#seen.clear()
      if (this.#repeated.size > 0) this.#repeated.clear()
      this.#numbers = undefined
      this.#postponed.length = 0
    }
  }

  write(value: unknown): void {
    switch (typeof value) {
      case 'string':
        return this.#text(value)
      case 'number':
        return this.writer.number(value)
      case 'boolean':
        return this.writer.byte(value ? 0xf5 : 0xf4)
      case 'undefined':
        return this.writer.byte(0xf7)
      case 'object':
        return value === null ? this.writer.byte(0xf6) : this.#object(value)
      case 'bigint':
        return this.#bigint(value)
      case 'symbol':
        return this.#symbol(value)
      case 'function':
        return this.#function(value)
    }
  }

  writeAt(segment: Segment, value: unknown): void {
    this.path.push(segment)
    this.write(value)
    this.path.pop()
  }

  writeProperties(properties: readonly Property[]): void {
    this.writer.array(properties.length * 3)
    for (const { key, flags, value } of properties) {
      this.write(key)
      this.writer.number(flags)
      const isAccessor = (flags & ACCESSOR) !== 0
      this.path.push(key)
      if (isAccessor || typeof value === 'function') this.functions.checkProperty(key, isAccessor)
      this.write(value)
      this.path.pop()
    }
  }

  announce(value: object): boolean {
    const numbers = this.#numbers
    if (numbers === undefined) {
      if (this.#isNew(value)) return true
      this.#repeated.add(value)
      this.writer.byte(0xf6)
      return false
    }
    const number = numbers.get(value)
    if (number === undefined) return true
    if (number === -1) {
      numbers.set(value, this.#nextNumber++)
      this.writer.tag(TAG.shared)
      return true
    }
    this.writer.tag(TAG.reference)
    this.writer.number(number)
    return false
  }

  isShared(value: object): boolean {
    if (this.#numbers !== undefined) return this.#numbers.has(value)
    if (!this.#isNew(value)) this.#repeated.add(value)
    return false
  }

  #isNew(value: object): boolean {
    if (this.#first === undefined) {
      this.#first = value
      return true
    }
    if (this.#first === value || this.#seen.has(value)) return false
    this.#seen.add(value)
    return true
  }

  #encodeShared(value: unknown): void {
    this.#numbers = new Map()
    for (const object of this.#repeated) this.#numbers.set(object, -1)
    this.#nextNumber = 0
    this.writer.reset()
    this.write(value)
  }

  #text(value: string): void {
    if (this.writer.shortText(value)) return
    if (value.isWellFormed()) return this.writer.text(value)
    this.writer.tag(TAG.utf16)
    this.writer.bytes(Buffer.from(value, 'utf16le'))
  }

  #bigint(value: bigint): void {
    this.writer.tag(value < 0n ? TAG.negativeBigint : TAG.positiveBigint)
    const hex = (value < 0n ? -1n - value : value).toString(16)
    this.writer.bytes(Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex'))
  }

  #symbol(symbol: symbol): void {
    const key = Symbol.keyFor(symbol)
    this.writer.tag(TAG.symbol)
    if (key !== undefined) {
      this.writer.array(2)
      this.writer.number(1)
      return this.#text(key)
    }
    const { description } = symbol
    const name = description?.startsWith('Symbol.') ? description.slice('Symbol.'.length) : undefined
    if (name !== undefined && Reflect.get(Symbol, name) === symbol) {
      this.writer.array(2)
      this.writer.number(0)
      return this.writer.text(name)
    }
    this.writer.array(3)
    this.writer.number(2)
    this.writer.number(this.functions.identifySymbol(symbol))
    return this.write(description)
  }

  #object(value: object): void {
    if (types.isProxy(value)) {
      refuse(
        'Proxy',
        'a Proxy cannot be looked into',
        'send the object behind it, or make the proxy inside the function'
      )
    }
    if (!this.announce(value)) return
    this.#descend()
    if (Array.isArray(value)) this.#array(value)
    else if (Object.getPrototypeOf(value) === Object.prototype) this.#record(value)
    else this.#postpone(() => encodeObject(value, this))
    this.#depth--
  }

  #function(fn: Function): void {
    if (!this.announce(fn)) return
    this.#descend()
    this.#postpone(() => this.functions.writeFunction(fn, this))
    this.#depth--
  }

  /** What cannot be written yet is left out, and the rest looked at first: so that all of it is found out at once. */
  #postpone(write: () => void): void {
    const [depth, steps] = [this.#depth, this.path.length]
    try {
      write()
    } catch (error) {
      if (!(error instanceof Pending)) throw error
      this.#postponed.push({ work: error.work, path: [...this.path] })
      this.#depth = depth
      this.path.length = steps
      this.writer.byte(0xf6)
    }
  }

  #descend(): void {
    if (++this.#depth > MAX_DEPTH) {
      refuse(
        'deep value',
        `nested deeper than ${MAX_DEPTH} levels`,
        'send it in a flatter form, such as an array'
      )
    }
  }

  #array(value: unknown[]): void {
    if (Object.getPrototypeOf(value) !== Array.prototype || !isDense(value)) return encodeObject(value, this)
    this.#elements(value)
  }

  #arguments(args: readonly unknown[]): void {
    this.announce(args)
    this.#descend()
    this.#elements(args)
  }

  #elements(value: readonly unknown[]): void {
    this.writer.array(value.length)
    for (let index = 0; index < value.length; index++) {
      this.path.push(index)
      this.write(value[index])
      this.path.pop()
    }
  }

  #record(value: object): void {
    const record = readRecord(value)
    if (record === undefined) return encodeObject(value, this)
    // A module of Node or of a package, taken whole.
    if (record.hasFunctions && this.functions.writeBuiltin(value, this)) return
    this.writer.map(record.keys.length)
    for (let index = 0; index < record.keys.length; index++) {
      const key = record.keys[index] ?? ''
      if (!this.writer.shortText(key)) this.writer.text(key)
      this.path.push(key)
      const value = record.values[index]
      if (typeof value === 'function') this.functions.checkProperty(key, false)
      this.write(value)
      this.path.pop()
    }
  }
}
