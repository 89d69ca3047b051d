import { types } from 'node:util'
import { Builtins } from '../builtins.ts'
import { CALLED_UNASKED } from './called-unasked.ts'
import { isNative } from './constructor-parts.ts'
import { refuse } from '../errors.ts'
import type { InspectorSession } from './inspector-session.ts'
import { isDomException } from '../read/intrinsic-errors.ts'
import { MadeFunctions } from './made-functions.ts'
import { propertiesOf } from './properties.ts'
import type { Origin } from '../read/function-sites.ts'
import type { Reader } from '../read/read.ts'
import { isResultBuiltin } from './result-builtins.ts'
import { TAG } from '../tags.ts'
import type { FunctionWriter, ValueWriter } from './value-writer.ts'
import {
  writeBound,
  writeBuiltinPath,
  writeCell,
  writeClosed,
  writeConstructorParts,
  writeMember
} from './write-function.ts'

/** Writes functions by where they came from. */
export class ResultFunctions implements FunctionWriter {
  readonly #reader: Reader
  readonly #builtins = new Builtins()
  readonly #made: MadeFunctions | undefined
  #symbolCount = 0

  constructor(reader: Reader, session: InspectorSession | undefined) {
    this.#reader = reader
    this.#made = session === undefined ? undefined : new MadeFunctions(reader, session)
  }

  begin(): void {
    this.#made?.begin()
  }

  /** After an error: can the same value be written in another way? */
  beginAgain(error: unknown): boolean {
    return this.#made?.beginAgain(error) ?? false
  }

  writeFunction(fn: Function, encoder: ValueWriter): void {
    const { writer } = encoder
    const identity = this.#reader.identityOf(fn)
    if (identity !== undefined) {
      writer.tag(TAG.original)
      return writer.number(identity)
    }
    if (this.writeBuiltin(fn, encoder)) return
    const bound =
      this.#reader.boundOf(fn) ??
      (isNative(Function.prototype.toString.call(fn)) ? this.#made?.boundOf(fn) : undefined)
    if (bound !== undefined) return writeBound(bound, encoder)
    const origin = this.#reader.originOf(fn)
    if (origin !== undefined) return writeClosed(fn, encoder, () => writeClosure(fn, origin, encoder))
    if (this.#made === undefined) return refuseUnseen()
    this.#made.write(fn, encoder)
  }

  writeBuiltin(value: object, encoder: ValueWriter): boolean {
    const path = this.#builtins.pathOf(value)
    if (path === undefined) return this.#writeMember(value, encoder)
    if (!isResultBuiltin(path)) {
      return refuse(
        path.filter(Boolean).join('.'),
        'a part of the runtime is not sent back',
        'return what it gives instead'
      )
    }
    writeBuiltinPath(path, encoder)
    return true
  }

  /** Something of a package: its own process has it too. */
  #writeMember(value: object, encoder: ValueWriter): boolean {
    const member = this.#reader.memberOf(value)
    if (member === undefined) return false
    writeMember(member.hash, member.path, encoder)
    return true
  }

  writeSpecial(value: object, encoder: ValueWriter): boolean {
    const constructor = classOf(value)
    if (constructor === undefined || hasForm(value)) return false
    if (this.#wasSent(constructor)) return false
    if (this.#made?.canWriteInstance(value, constructor) === true) return false
    if (
      this.#builtins.pathOf(constructor) !== undefined ||
      isNative(Function.prototype.toString.call(constructor))
    ) {
      return refuse(
        constructor.name,
        `a ${constructor.name} exists only where the job ran`,
        'return what you need of it'
      )
    }
    // Of a class that cannot go back: its instances do as the data they are.
    encoder.writer.map(Object.keys(value).length)
    for (const [key, part] of Object.entries(value)) {
      encoder.writer.text(key)
      encoder.writeAt(key, part)
    }
    return true
  }

  canWriteClass(constructor: Function): boolean {
    return this.#wasSent(constructor) || this.#made?.canWriteClass(constructor) === true
  }

  #wasSent(constructor: Function): boolean {
    return (
      this.#reader.identityOf(constructor) !== undefined ||
      this.#reader.originOf(constructor) !== undefined ||
      this.#reader.memberOf(constructor) !== undefined
    )
  }

  checkProperty(key: string | symbol, isAccessor: boolean): void {
    if (!isAccessor && typeof key === 'string' && !CALLED_UNASKED.has(key)) return
    const what = isAccessor ? 'a getter or setter' : `a function named ${String(key)}`
    refuse(
      'function that runs unasked',
      `${what} would run without being called by the program that gets the result`,
      'return a value, give it another name, or make it a member of a class'
    )
  }

  identifySymbol(symbol: symbol): number {
    return this.#reader.identityOfSymbol(symbol) ?? --this.#symbolCount
  }
}

/** A function that was sent, with what it captured as it is now. */
function writeClosure(fn: Function, { hash, unit, instance, cells }: Origin, encoder: ValueWriter): void {
  const { writer } = encoder
  const properties = propertiesOf(fn, (key) => OF_ANY_FUNCTION.has(key))
  writer.tag(properties.length === 0 ? TAG.closure : TAG.constructor)
  writer.array(properties.length === 0 ? 2 : 6)
  writer.bytes(Buffer.from(hash, 'hex'))
  const values = instance.get()
  writer.array(values.length)
  for (const [index, value] of values.entries()) {
    const name = unit.captured[index] ?? ''
    encoder.path.push({ captured: name })
    if (unit.cells?.includes(name) === true) writeCell(cells.cell(name), value, encoder)
    else encoder.write(value)
    encoder.path.pop()
  }
  if (properties.length === 0) return
  const nothing = { parent: undefined, prototypeParent: undefined, prototypeProperties: [] }
  writeConstructorParts({ ...nothing, properties }, encoder)
}

function refuseUnseen(): never {
  refuse(
    'function',
    `a function made while the job ran exists only there: Node.js ${process.versions.node} does not let a sandboxed process look into it, 24.21 and 26.3 do`,
    'return data, or a function that was sent'
  )
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
