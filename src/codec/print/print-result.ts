import { types } from 'node:util'
import { Builtins } from '../builtins.ts'
import type { ClosureInspector } from './closure-inspector.ts'
import { Encoder } from './encode.ts'
import { isDomException } from '../read/intrinsic-errors.ts'
import { CALLED_UNASKED } from './called-unasked.ts'
import { writeClosed } from './closed-function.ts'
import { describeMade, type MadeFunction, MadeFunctions } from './made-functions.ts'
import { PrintError, RefusalSignal, refuse } from '../errors.ts'
import { formatPath } from '../path.ts'
import { propertiesOf } from './properties.ts'
import type { Origin } from '../source/function-sites.ts'
import type { BoundParts, Reader } from '../read/read.ts'
import { isResultBuiltin } from './result-builtins.ts'
import { readVariable } from '../source/site.ts'
import { TAG } from '../tags.ts'
import type { FunctionWriter, ValueWriter } from './value-writer.ts'

/**
 * Prints results and errors of jobs. Runs in the worker process: no inspector, no parser. Functions and classes that
 * the reader of the same process read go back as what they came as.
 */
export class ResultPrinter {
  readonly #encoder: Encoder
  readonly #functions: ReadFunctions

  /** @param inspector looks into functions that jobs made; without, they are refused */
  constructor(reader: Reader, inspector?: ClosureInspector) {
    this.#functions = new ReadFunctions(reader, inspector)
    this.#encoder = new Encoder(this.#functions)
  }

  /** @throws {PrintError} when the value holds something that cannot travel */
  print(value: unknown, path = 'result'): Uint8Array {
    for (;;) {
      try {
        return this.#encoder.encode(value)
      } catch (error) {
        if (!(error instanceof RefusalSignal)) throw error
        // Each time with one more class that does not travel: so it ends.
        if (this.#functions.leavesOutClass()) continue
        throw new PrintError(formatPath(path, this.#encoder.path), error.refusal)
      }
    }
  }
}

/** Writes functions by where they came from. */
class ReadFunctions implements FunctionWriter {
  readonly #reader: Reader
  readonly #builtins = new Builtins()
  readonly #made: MadeFunctions | undefined
  /** Classes made by jobs, of which something cannot travel. */
  readonly #leftOut = new WeakSet<Function>()
  #refusedClass: Function | undefined
  #symbolCount = 0

  constructor(reader: Reader, inspector: ClosureInspector | undefined) {
    this.#reader = reader
    this.#made = inspector === undefined ? undefined : new MadeFunctions(reader, inspector)
  }

  /** After a refusal: when it was for a class, its instances are plain data from now on. */
  leavesOutClass(): boolean {
    const refused = this.#refusedClass
    this.#refusedClass = undefined
    if (refused === undefined || this.#leftOut.has(refused)) return false
    this.#leftOut.add(refused)
    return true
  }

  writeFunction(fn: Function, encoder: ValueWriter): void {
    const { writer } = encoder
    const identity = this.#reader.identityOf(fn)
    if (identity !== undefined) {
      writer.tag(TAG.original)
      return writer.number(identity)
    }
    if (this.writeBuiltin(fn, encoder)) return
    const bound = this.#reader.boundOf(fn) ?? (isNative(fn) ? this.#made?.boundOf(fn) : undefined)
    if (bound !== undefined) return writeBound(bound, encoder)
    const origin = this.#reader.originOf(fn)
    if (origin !== undefined) return writeClosed(fn, encoder, () => writeClosure(fn, origin, encoder))
    if (this.#made === undefined) return refuseUnseen()
    const made = this.#made.find(fn)
    if (made === undefined) return refuseForeign()
    if (typeof made.described === 'string') return refuseOuter(made.described)
    const functions = this.#made
    try {
      writeClosed(fn, encoder, () => writeMade(fn, made, functions, encoder))
    } catch (error) {
      if (error instanceof RefusalSignal) this.#refusedClass = fn
      throw error
    }
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
    if (constructor === undefined || hasForm(value)) return false
    if (this.canWriteClass(constructor) && !this.#hidesState(value, constructor)) return false
    if (this.#builtins.pathOf(constructor) !== undefined || isNative(constructor)) {
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
    return (
      this.#reader.identityOf(constructor) !== undefined ||
      this.#reader.originOf(constructor) !== undefined ||
      this.#reader.memberOf(constructor) !== undefined ||
      this.#isMade(constructor)
    )
  }

  #isMade(constructor: Function): boolean {
    if (this.#made === undefined || this.#leftOut.has(constructor) || isNative(constructor)) return false
    return typeof this.#made.find(constructor)?.described === 'object'
  }

  /** Of a class made by the job, whose instance could not be made with its private members. */
  #hidesState(value: object, constructor: Function): boolean {
    const isKnown =
      this.#reader.identityOf(constructor) ??
      this.#reader.originOf(constructor) ??
      this.#reader.memberOf(constructor)
    return isKnown === undefined && (this.#made?.privateOf(value).size ?? 0) > 0
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

/** A function that a job made: where in a unit it is written, and what it captured. */
function writeMade(fn: Function, made: MadeFunction, functions: MadeFunctions, encoder: ValueWriter): void {
  const { writer } = encoder
  const parts = describeMade(fn)
  const { scopes } = functions.inspect(fn)
  const names = typeof made.described === 'string' ? [] : made.described
  writer.tag(TAG.made)
  writer.array(parts === undefined ? 4 : 9)
  writer.bytes(Buffer.from(made.hash, 'hex'))
  writer.number(made.start)
  encoder.write(typeof fn.name === 'string' ? fn.name : '')
  writer.array(names.length)
  for (const name of names) encoder.writeAt({ captured: name }, readVariable(scopes, name))
  if (parts === undefined) return
  encoder.writeAt({ captured: 'extends' }, parts.parent)
  encoder.write(parts.prototypeParent)
  encoder.writeProperties(parts.prototypeProperties)
  encoder.writeProperties(parts.properties)
  encoder.write(Object.fromEntries(functions.privateOf(fn)))
}

function refuseUnseen(): never {
  refuse(
    'function',
    `a function made while the job ran exists only there: Node.js ${process.versions.node} does not let a sandboxed process look into it, 24.21 and 26.3 do`,
    'return data, or a function that was sent'
  )
}

function refuseForeign(): never {
  refuse(
    'function',
    'a function that a package made, or that was made of a text, exists only where the job ran',
    'return data, or a function of your own that calls it'
  )
}

function refuseOuter(outer: string): never {
  refuse(
    'function',
    `a function made while the job ran uses the ${outer} of the code around it, which cannot be taken along`,
    'put what it needs into a variable, as in `const { size } = this`'
  )
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
