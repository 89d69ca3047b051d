import { types } from 'node:util'
import { Builtins } from '../builtins.ts'
import { Encoder } from './encode.ts'
import { isDomException } from '../read/intrinsic-errors.ts'
import { PrintError, RefusalSignal, refuse } from '../errors.ts'
import { formatPath } from '../path.ts'
import { propertiesOf } from './properties.ts'
import type { Origin } from '../source/function-sites.ts'
import type { BoundParts, Reader } from '../read/read.ts'
import { isResultBuiltin } from './result-builtins.ts'
import { TAG } from '../tags.ts'
import type { FunctionWriter, ValueWriter } from './value-writer.ts'

/**
 * Prints results and errors of jobs. Runs in the worker process: no inspector, no parser. Functions and classes that
 * the reader of the same process read go back as what they came as.
 */
export class ResultPrinter {
  readonly #encoder: Encoder

  constructor(reader: Reader) {
    this.#encoder = new Encoder(new ReadFunctions(reader))
  }

  /** @throws {PrintError} when the value holds something that cannot travel */
  print(value: unknown, path = 'result'): Uint8Array {
    try {
      return this.#encoder.encode(value)
    } catch (error) {
      if (error instanceof RefusalSignal)
        throw new PrintError(formatPath(path, this.#encoder.path), error.refusal)
      throw error
    }
  }
}

/** Writes functions by where they came from. */
class ReadFunctions implements FunctionWriter {
  readonly #reader: Reader
  readonly #builtins = new Builtins()
  #symbolCount = 0

  constructor(reader: Reader) {
    this.#reader = reader
  }

  writeFunction(fn: Function, encoder: ValueWriter): void {
    const { writer } = encoder
    const identity = this.#reader.identityOf(fn)
    if (identity !== undefined) {
      writer.tag(TAG.original)
      return writer.number(identity)
    }
    if (this.writeBuiltin(fn, encoder)) return
    const bound = this.#reader.boundOf(fn)
    if (bound !== undefined) return writeBound(bound, encoder)
    const origin = this.#reader.originOf(fn)
    if (origin === undefined) {
      return refuse(
        'function',
        'a function made while the job ran exists only there',
        'return data, or a function that was sent'
      )
    }
    writeClosure(fn, origin, encoder)
  }

  writeBuiltin(value: object, encoder: ValueWriter): boolean {
    const { writer } = encoder
    const path = this.#builtins.pathOf(value)
    if (path === undefined) return this.#writeMember(value, encoder)
    if (!isResultBuiltin(path)) {
      return refuse(
        path.filter(Boolean).join('.'),
        'a part of the runtime is not sent back',
        'return what it gives instead'
      )
    }
    writer.tag(TAG.builtin)
    writer.array(path.length)
    for (const name of path) writer.text(name)
    return true
  }

  /** Something of a package: its own process has it too. */
  #writeMember(value: object, { writer }: ValueWriter): boolean {
    const member = this.#reader.memberOf(value)
    if (member === undefined) return false
    writer.tag(TAG.bundled)
    writer.array(1 + member.path.length)
    writer.bytes(Buffer.from(member.hash, 'hex'))
    for (const name of member.path) writer.text(name)
    return true
  }

  writeSpecial(value: object, encoder: ValueWriter): boolean {
    const constructor = classOf(value)
    if (constructor === undefined || this.canWriteClass(constructor) || hasForm(value)) return false
    if (this.#builtins.pathOf(constructor) !== undefined || isNative(constructor)) {
      return refuse(
        constructor.name,
        `a ${constructor.name} exists only where the job ran`,
        'return what you need of it'
      )
    }
    // A class that was made while the job ran: its instances go back as the data they are.
    encoder.writer.map(Object.keys(value).length)
    for (const [key, part] of Object.entries(value)) {
      encoder.writer.text(key)
      encoder.writeAt(key, part)
    }
    return true
  }

  canWriteClass(constructor: Function): boolean {
    return (
      this.#reader.identityOf(constructor) !== undefined ||
      this.#reader.originOf(constructor) !== undefined ||
      this.#reader.memberOf(constructor) !== undefined
    )
  }

  identifySymbol(symbol: symbol): number {
    return this.#reader.identityOfSymbol(symbol) ?? --this.#symbolCount
  }
}

/** A function that was sent, with what it captured as it is now. */
function writeClosure(fn: Function, { hash, unit, instance }: Origin, encoder: ValueWriter): void {
  const { writer } = encoder
  const properties = propertiesOf(fn, (key) => OF_ANY_FUNCTION.has(key))
  writer.tag(properties.length === 0 ? TAG.closure : TAG.constructor)
  writer.array(properties.length === 0 ? 2 : 6)
  writer.bytes(Buffer.from(hash, 'hex'))
  const values = instance.get()
  writer.array(values.length)
  for (const [index, value] of values.entries())
    encoder.writeAt({ captured: unit.captured[index] ?? '' }, value)
  if (properties.length === 0) return
  encoder.write(undefined)
  encoder.write(undefined)
  encoder.writeProperties([])
  encoder.writeProperties(properties)
}

function writeBound({ target, boundThis, args }: BoundParts, encoder: ValueWriter): void {
  encoder.writer.tag(TAG.bound)
  encoder.writer.array(3)
  encoder.writeAt({ captured: 'bound function' }, target)
  encoder.writeAt({ captured: 'this' }, boundThis)
  encoder.write(args)
}

const OF_ANY_FUNCTION: ReadonlySet<string | symbol> = new Set([
  'length',
  'name',
  'prototype',
  'arguments',
  'caller'
])

function classOf(value: object): Function | undefined {
  const prototype: object | null = Object.getPrototypeOf(value)
  const constructor: unknown = prototype === null ? undefined : Reflect.get(prototype, 'constructor')
  return typeof constructor === 'function' && constructor !== Object ? constructor : undefined
}

/** Kinds that travel in a form of their own. */
function hasForm(value: object): boolean {
  return (
    Array.isArray(value) ||
    ArrayBuffer.isView(value) ||
    types.isAnyArrayBuffer(value) ||
    types.isBoxedPrimitive(value) ||
    types.isDate(value) ||
    types.isMap(value) ||
    types.isSet(value) ||
    types.isNativeError(value) ||
    types.isRegExp(value) ||
    value instanceof URL ||
    value instanceof URLSearchParams ||
    isDomException(value) ||
    Object.prototype.toString.call(value).startsWith('[object Temporal.')
  )
}

function isNative(constructor: Function): boolean {
  return Function.prototype.toString.call(constructor).endsWith('{ [native code] }')
}
