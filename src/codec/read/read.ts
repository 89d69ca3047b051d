import { findBuiltin } from '../builtins.ts'
import { Cell } from './cells.ts'
import { CALLED_UNASKED } from '../print/called-unasked.ts'
import { Decoder } from './decode.ts'
import { readProperties, setPrototype } from './decode-extended.ts'
import { FunctionSites, hexOf, type Origin } from './function-sites.ts'
import { type MemberPath, Modules } from './modules.ts'
import type { ReaderOptions } from './reader-options.ts'
import { TAG } from '../tags.ts'
import { UnitStore } from './unit-store.ts'
import type { FunctionReader, ValueReader } from './value-reader.ts'

/** What a bound function was made of. */
export interface BoundParts {
  readonly target: Function
  readonly boundThis: unknown
  readonly args: readonly unknown[]
}

/** RFC 8949 section 3.3. */
const UNDEFINED = 0xf7

/**
 * Reads printed values, functions included. Runs in the worker process: synchronous, no files, no inspector. Units are
 * compiled when first used and evaluated once for each process, so that modules keep their identity.
 *
 * @example
 * reader.addUnit(hash, bytes) // for each hash in printed.units
 * const job = reader.read(printed.bytes) as () => unknown
 */
export class Reader implements FunctionReader {
  readonly #units: UnitStore
  readonly #modules: Modules
  readonly #functionSites: FunctionSites
  readonly #bounds = new WeakMap<Function, BoundParts>()
  readonly #identified = new Map<number, Function>()
  readonly #identities = new WeakMap<Function, number>()
  readonly #symbols = new Map<number, symbol>()
  readonly #symbolIdentities = new Map<symbol, number>()
  /** What a peer's value only named: it was here before, and belongs to the whole program. */
  readonly #found = new WeakSet<object>()
  readonly #options: ReaderOptions

  constructor(options: ReaderOptions = {}) {
    this.#options = options
    const { checkHashes = true, findUnit = () => undefined } = options
    const { requireBuiltin = (name: string) => process.getBuiltinModule(name) } = options
    this.#units = new UnitStore(checkHashes, findUnit)
    this.#modules = new Modules(requireBuiltin, (hash) => this.#units.get(hash, 'bundle'))
    const { findNested = () => undefined } = options
    this.#functionSites = new FunctionSites(this.#units, this.#modules, findNested)
  }

  /**
   * Takes a unit, to be used by the values read from now on. Taking one twice does nothing.
   *
   * @throws {ReadError} when the bytes are not the unit of that name
   */
  addUnit(hash: string, bytes: Uint8Array): void {
    this.#units.add(hash, bytes)
  }

  /** @throws {ReadError} when the bytes are not a printed value, or name a unit that was not added */
  read(bytes: Uint8Array): unknown {
    // What most functions return that are called for their effect.
    if (bytes.length === 1 && bytes[0] === UNDEFINED) return undefined
    return new Decoder(bytes, this).decode()
  }

  /** Where a function came from; undefined for one that was not read here. */
  originOf(fn: Function): Origin | undefined {
    return this.#functionSites.originOf(fn)
  }

  /** Each unit that was used, with a function of its script. */
  openedSites(): ReturnType<FunctionSites['opened']> {
    return this.#functionSites.opened()
  }

  /** What a bound function was made of; undefined for one that was not read here. */
  boundOf(fn: Function): BoundParts | undefined {
    return this.#bounds.get(fn)
  }

  /** Where in a bundle a function or object is found; undefined for one that came out of none. */
  memberOf(value: object): MemberPath | undefined {
    return this.#modules.pathOf(value)
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

  checkChange(target: object, decoder: ValueReader): void {
    if (this.#found.has(target)) decoder.reader.fail('what a peer only names cannot be changed by it')
  }

  mapStack(stack: string): string {
    return this.#options.mapStack?.(stack) ?? stack
  }

  readFunction(tag: number, decoder: ValueReader): unknown {
    const { makeStandIn } = this.#options
    if (makeStandIn !== undefined && OF_UNITS.has(tag)) return readStandIn(makeStandIn(), decoder)
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
        return decoder.registerLater(() => this.#find(decoder.readAs('function').prototype as unknown))
      case TAG.bound:
        return this.#readBound(decoder)
      case TAG.bundled:
        return this.#readBundled(decoder)
      case TAG.original:
        return this.#readOriginal(decoder)
      case TAG.cell:
        return readCell(decoder)
      case TAG.made:
        return this.#readMade(decoder)
      default:
        return decoder.reader.fail(`unknown tag ${tag}`)
    }
  }

  #readClosure(decoder: ValueReader): Function {
    decoder.readCount(2)
    return this.#functionSites.instantiate(decoder)
  }

  #readConstructor(decoder: ValueReader): Function {
    decoder.readCount(6)
    return readConstructorParts(this.#functionSites.instantiate(decoder), decoder)
  }

  #readMade(decoder: ValueReader): Function {
    const count = decoder.readCount()
    const { fn, setPrivate } = this.#functionSites.instantiateMade(decoder)
    if (count === 5) return fn
    readConstructorParts(fn, decoder)
    setPrivate(decoder.readAs('object') as Record<string, unknown>)
    return fn
  }

  #readIdentified(decoder: ValueReader): Function {
    decoder.readCount(2)
    const identity = decoder.readAs('number')
    const known = this.#identified.get(identity)
    if (known !== undefined) {
      decoder.register(this.#find(known))
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
    const found = findBuiltin([module, ...names], (name) => this.#modules.builtin(name))
    return decoder.register(this.#find(found))
  }

  #readBound(decoder: ValueReader): Function {
    return decoder.registerLater(() => {
      decoder.readCount(3)
      const target = decoder.readAs('function')
      const boundThis = decoder.read()
      const args = decoder.readAs('object')
      if (!Array.isArray(args)) return decoder.reader.fail('expected bound arguments')
      const bound = Function.prototype.bind.call(target, boundThis, ...(args as unknown[])) as Function
      this.#bounds.set(bound, { target, boundThis, args })
      return bound
    })
  }

  #readBundled(decoder: ValueReader): unknown {
    const count = decoder.readCount()
    const hash = hexOf(decoder.readBytes())
    const path: string[] = []
    while (path.length < count - 1) path.push(decoder.readAs('string'))
    const { findMember } = this.#options
    if (findMember !== undefined) {
      const member = findMember(hash, path) ?? decoder.reader.fail(`no ${path.join('.')} was sent`)
      return decoder.register(this.#find(member))
    }
    const [name = '', ...rest] = path
    const value = rest.reduce(
      (part, key) => Reflect.get(part as object, key) as unknown,
      this.#modules.member(hash, name)
    )
    return decoder.register(this.#find(value))
  }

  #readOriginal(decoder: ValueReader): Function {
    const identity = decoder.readAs('number')
    const original = this.#options.findOriginal?.(identity) ?? this.#identified.get(identity)
    return decoder.register(
      this.#find(original ?? decoder.reader.fail(`no function ${identity} was printed here`))
    )
  }

  #find<T>(value: T): T {
    const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function'
    if (isObject && this.#options.isFromPeer === true) this.#found.add(value)
    return value
  }
}

/** What a class or function has beyond its text and captured values. */
function readConstructorParts(fn: Function, decoder: ValueReader): Function {
  const parent = decoder.read()
  const prototypeParent = decoder.read()
  if (parent !== undefined) setPrototype(fn, parent, decoder)
  if (prototypeParent !== undefined) setPrototype(fn.prototype as object, prototypeParent, decoder)
  readProperties(fn.prototype as object, decoder)
  readProperties(fn, decoder)
  return fn
}

const OF_UNITS: ReadonlySet<number> = new Set([TAG.closure, TAG.constructor, TAG.made, TAG.bundled])

function readStandIn(fn: Function, decoder: ValueReader): Function {
  const count = decoder.readCount()
  decoder.register(fn)
  for (let index = 0; index < count; index++) decoder.read()
  return fn
}

function readCell(decoder: ValueReader): Cell {
  const cell = decoder.register(new Cell())
  cell.value = decoder.read()
  return cell
}
