import { builtinModuleName, type BuiltinPath, findBuiltin } from './builtins.ts'
import {
  compileBundle,
  compileFunction,
  type Factory,
  type Instance,
  unwrap,
  withPrivate
} from './compile.ts'
import { Decoder } from './decode.ts'
import { readProperties, setPrototype } from './decode-extended.ts'
import { ReadError } from './errors.ts'
import { linkAll, moduleNotFound, type ModuleSource } from './link.ts'
import { readData } from './read-data.ts'
import { TAG } from './tags.ts'
import { type BundleUnit, type FunctionUnit, hashUnit, type Unit } from './unit.ts'
import type { FunctionReader, ValueReader } from './value-reader.ts'

export interface ReaderOptions {
  /** Answers for a built-in module, or throws for one that is not to be had. @default process.getBuiltinModule */
  readonly requireBuiltin?: (name: string) => unknown
  /** Values come from a peer: no property may hold a function that runs without being called. @default false */
  readonly isFromPeer?: boolean
  /** May a value name this built-in directly? @default everything may */
  readonly allowBuiltin?: (path: BuiltinPath) => boolean
  /** A function this process printed itself, by identity. @default none is known */
  readonly findOriginal?: (identity: number) => Function | undefined
  /** The same of symbols. */
  readonly findOriginalSymbol?: (identity: number) => symbol | undefined
  /** Puts positions as the user wrote them in place of positions as run. @default they stay */
  readonly mapStack?: (stack: string) => string
  /** Does addUnit make sure that bytes have the hash they came under? Not needed where a node has done so. @default true */
  readonly checkHashes?: boolean
  /** A unit this process printed itself. @default only units that were added are known */
  readonly findUnit?: (hash: string) => Uint8Array | undefined
}

/** Where a function that was read comes from: what it takes to print it again. */
export interface Origin {
  readonly hash: string
  readonly unit: FunctionUnit
  readonly instance: Instance
}

/** Methods that the language calls: to await a value, to show it, to calculate with it. */
const CALLED_UNASKED: ReadonlySet<string> = new Set([
  'then',
  'toString',
  'valueOf',
  'toJSON',
  'constructor',
  'inspect',
  'next',
  'return'
])

/** RFC 8949 section 3.3. */
const UNDEFINED = 0xf7

interface Site {
  readonly unit: FunctionUnit
  readonly make: () => Instance
}

/**
 * Reads printed values, functions included. Runs in the worker process: synchronous, no files, no inspector. Units are
 * compiled when first used and evaluated once for each process, so that modules keep their identity.
 *
 * @example
 * reader.addUnit(hash, bytes) // for each hash in printed.units
 * const job = reader.read(printed.bytes) as () => unknown
 */
export class Reader implements FunctionReader, ModuleSource {
  /** As they came; what a unit is shows when it is used. */
  readonly #bytes = new Map<string, Uint8Array>()
  readonly #sites = new Map<string, Site>()
  readonly #exports = new Map<string, object>()
  readonly #origins = new WeakMap<Function, Origin>()
  readonly #identified = new Map<number, Function>()
  readonly #identities = new WeakMap<Function, number>()
  readonly #symbols = new Map<number, symbol>()
  readonly #symbolIdentities = new Map<symbol, number>()
  readonly #options: ReaderOptions

  constructor(options: ReaderOptions = {}) {
    this.#options = options
  }

  /**
   * Takes a unit, to be used by the values read from now on. Taking one twice does nothing.
   *
   * @throws {ReadError} when the bytes are not the unit of that name
   */
  addUnit(hash: string, bytes: Uint8Array): void {
    if (this.#bytes.has(hash)) return
    if (this.#options.checkHashes !== false && hashUnit(bytes) !== hash)
      throw new ReadError(0, `a unit's bytes do not have the hash ${hash}`)
    this.#bytes.set(hash, bytes)
  }

  /** @throws {ReadError} when the bytes are not a printed value, or name a unit that was not added */
  read(bytes: Uint8Array): unknown {
    // What most functions return that are called for their effect.
    if (bytes.length === 1 && bytes[0] === UNDEFINED) return undefined
    return new Decoder(bytes, this).decode()
  }

  /** Where a function came from; undefined for one that was not read here. */
  originOf(fn: Function): Origin | undefined {
    return this.#origins.get(fn)
  }

  identityOf(fn: Function): number | undefined {
    return this.#identities.get(fn)
  }

  identityOfSymbol(symbol: symbol): number | undefined {
    return this.#symbolIdentities.get(symbol)
  }

  symbol(identity: number, description: string | undefined): symbol {
    const known = this.#symbols.get(identity) ?? this.#options.findOriginalSymbol?.(identity)
    if (known !== undefined) return known
    const symbol = Symbol(description)
    this.#symbols.set(identity, symbol)
    this.#symbolIdentities.set(symbol, identity)
    return symbol
  }

  checkProperty(key: string | symbol, isAccessor: boolean, decoder: ValueReader): void {
    if (this.#options.isFromPeer !== true) return
    if (!isAccessor && typeof key === 'string' && !CALLED_UNASKED.has(key)) return
    decoder.reader.fail(`a function that would run by itself, as ${String(key)}, is not taken from a peer`)
  }

  mapStack(stack: string): string {
    return this.#options.mapStack?.(stack) ?? stack
  }

  readFunction(tag: number, decoder: ValueReader): unknown {
    switch (tag) {
      case TAG.closure:
        return this.#readClosure(decoder)
      case TAG.constructor:
        return this.#readConstructor(decoder)
      case TAG.identity:
        return this.#readIdentified(decoder)
      case TAG.builtin:
        return this.#readBuiltin(decoder)
      case TAG.prototypeOf:
        return decoder.registerLater(() => decoder.readAs('function').prototype as unknown)
      case TAG.bound:
        return this.#readBound(decoder)
      case TAG.bundled:
        return this.#readBundled(decoder)
      case TAG.original:
        return this.#readOriginal(decoder)
      default:
        return decoder.reader.fail(`unknown tag ${tag}`)
    }
  }

  builtin(name: string): unknown {
    const { requireBuiltin = (each: string) => process.getBuiltinModule(each) } = this.#options
    const module = requireBuiltin(name)
    if (module === undefined) throw new TypeError(`this Node has no built-in module ${name}`)
    return module
  }

  bundle(hash: string): object {
    const known = this.#exports.get(hash)
    if (known !== undefined) return known
    return this.#evaluate(hash, this.#unit(hash, 'bundle'))
  }

  #unit(hash: string, kind: 'function'): FunctionUnit
  #unit(hash: string, kind: 'bundle'): BundleUnit
  #unit(hash: string, kind: Unit['kind']): Unit {
    const bytes = this.#bytes.get(hash) ?? this.#options.findUnit?.(hash)
    if (bytes === undefined) throw new ReadError(0, `the ${kind} ${hash} was not sent`)
    const unit = readData(bytes) as Unit
    if (unit.kind !== kind) throw new ReadError(0, `expected the ${kind} ${hash}, got a ${unit.kind}`)
    return unit
  }

  #evaluate(hash: string, unit: BundleUnit): object {
    const module = { exports: {} }
    const require = (specifier: string): unknown => {
      const name = builtinModuleName(specifier)
      if (name === undefined) throw moduleNotFound(specifier, 'it was not bundled')
      return this.builtin(name)
    }
    compileBundle(unit)(module.exports, require, module)
    this.#exports.set(hash, module.exports)
    return module.exports
  }

  /** [unit, captured values, …]: the unit and the values are read, what follows is not. */
  #instantiate(decoder: ValueReader): Function {
    const hash = Buffer.from(decoder.readBytes().buffer).toString('hex')
    let site = this.#sites.get(hash)
    if (site === undefined) {
      site = this.#openSite(this.#unit(hash, 'function'))
      this.#sites.set(hash, site)
    }
    const { unit } = site
    const instance = site.make()
    const captured = unit.captured.length
    const count = decoder.readCount(captured + unit.privateStatics.length)
    const values = readKeys(decoder, unit.keys ?? 0)
    if (values.length > 0) instance.set(values)
    const fn = decoder.register(unwrap(instance.make(), unit.form))
    if (fn.name !== unit.name && typeof unit.name === 'string') {
      Object.defineProperty(fn, 'name', { value: unit.name, configurable: true })
    }
    this.#origins.set(fn, { hash, unit, instance })
    while (values.length < count) values.push(decoder.read())
    instance.set(values.slice(0, captured))
    if (count > captured) instance.setPrivate(values.slice(captured))
    return fn
  }

  #openSite(unit: FunctionUnit): Site {
    const factory: Factory = compileFunction(unit)
    const links = linkAll(unit.links, this)
    // Replaced as soon as the class stands: see setPrototype below.
    if (unit.parentName !== undefined) links.push(function () {})
    return { unit, make: () => withPrivate((give) => factory(...links, give)) }
  }

  #readClosure(decoder: ValueReader): Function {
    decoder.readCount(2)
    return this.#instantiate(decoder)
  }

  #readConstructor(decoder: ValueReader): Function {
    decoder.readCount(6)
    const fn = this.#instantiate(decoder)
    const parent = decoder.read()
    const prototypeParent = decoder.read()
    if (parent !== undefined) setPrototype(fn, parent, decoder)
    if (prototypeParent !== undefined) setPrototype(fn.prototype as object, prototypeParent, decoder)
    readProperties(fn.prototype as object, decoder)
    readProperties(fn, decoder)
    return fn
  }

  #readIdentified(decoder: ValueReader): Function {
    decoder.readCount(2)
    const identity = decoder.readAs('number')
    const known = this.#identified.get(identity)
    if (known !== undefined) {
      decoder.register(known)
      decoder.readAs('function')
      return known
    }
    return this.#identify(identity, decoder)
  }

  #identify(identity: number, decoder: ValueReader): Function {
    const fn = decoder.readAs('function')
    this.#identified.set(identity, fn)
    this.#identities.set(fn, identity)
    return fn
  }

  #readBuiltin(decoder: ValueReader): unknown {
    const count = decoder.readCount()
    const path: string[] = []
    for (let index = 0; index < count; index++) path.push(decoder.readAs('string'))
    const [module = '', ...names] = path
    if (this.#options.allowBuiltin?.([module, ...names]) === false) {
      decoder.reader.fail(`the built-in ${path.join('.')} is not taken from a peer`)
    }
    return decoder.register(findBuiltin([module, ...names], (name) => this.builtin(name)))
  }

  #readBound(decoder: ValueReader): Function {
    return decoder.registerLater(() => {
      decoder.readCount(3)
      const target = decoder.readAs('function')
      const boundThis = decoder.read()
      const args = decoder.readAs('object')
      if (!Array.isArray(args)) return decoder.reader.fail('expected bound arguments')
      return Function.prototype.bind.call(target, boundThis, ...(args as unknown[])) as Function
    })
  }

  #readBundled(decoder: ValueReader): unknown {
    const count = decoder.readCount()
    let value: unknown = this.bundle(Buffer.from(decoder.readBytes().buffer).toString('hex'))
    for (let index = 1; index < count; index++) value = Reflect.get(value as object, decoder.readAs('string'))
    return decoder.register(value)
  }

  #readOriginal(decoder: ValueReader): Function {
    const identity = decoder.readAs('number')
    const original = this.#options.findOriginal?.(identity) ?? this.#identified.get(identity)
    return decoder.register(original ?? decoder.reader.fail(`no function ${identity} was printed here`))
  }
}

/** Values that name members of a class about to be made: none of them can lead back to it. */
function readKeys(decoder: ValueReader, count: number): unknown[] {
  const values: unknown[] = []
  while (values.length < count) {
    const value = decoder.read()
    if (typeof value === 'object' || typeof value === 'function') decoder.reader.fail('expected a key')
    values.push(value)
  }
  return values
}
