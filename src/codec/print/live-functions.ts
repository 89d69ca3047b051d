import { types } from 'node:util'
import { type BuiltinPath, Builtins } from '../builtins.ts'
import { cellIn, writeCell } from './cells.ts'
import { checkKey, type ComputedKeys, findKey } from './class-keys.ts'
import { type ConstructorParts, describeConstructor, isNative } from './constructor-parts.ts'
import type { Closure, ClosureInspector } from './closure-inspector.ts'
import { refuse } from '../errors.ts'
import { homeClass } from '../read/home-realm.ts'
import { isInert } from '../read/inert-classes.ts'
import { Identities } from '../identity.ts'
import type { PackageValues } from '../bundle/package-values.ts'
import { Pending } from './pending.ts'
import { article, refuseInstanceOf } from './refusals.ts'
import { sharingOf } from './site-sharing.ts'
import { SharedState } from './shared-state.ts'
import type { VariableProbe } from './variable-probe.ts'
import { hasVariable, readVariable, type Site } from '../source/site.ts'
import { type ForeignSite, isForeign, type SiteAnalyser } from '../source/site-analyser.ts'
import { TAG } from '../tags.ts'
import type { FunctionWriter, ValueWriter } from './value-writer.ts'
import {
  writeBound,
  writeBuiltinPath,
  writeClosed,
  writeConstructorParts,
  writeMember
} from './write-function.ts'

/** What was seen in the functions of one value, which may take several passes to write. */
export type KnownClosures = Map<Function, Closure>

interface KnownFunction {
  readonly closure: Closure
  readonly site: Site | ForeignSite
}

/** Writes functions of this process, by looking into them. */
export class LiveFunctions implements FunctionWriter {
  readonly identities = new Identities()
  /** Units of the value being written. */
  readonly hashes = new Set<string>()
  onCapture: (bytes: number) => void = () => {}
  readonly #inspector: ClosureInspector
  readonly #analyser: SiteAnalyser
  readonly #packages: PackageValues
  readonly #sites = new Map<string, Site | ForeignSite>()
  readonly #builtins = new Builtins()
  readonly #sharedState: SharedState
  readonly #variants = new WeakMap<Site, Map<string, Site>>()
  #closures: KnownClosures | undefined
  /** Functions that capture nothing that changes, as most helpers are: looked into once. */
  readonly #constants = new WeakMap<Function, Closure>()

  constructor(
    inspector: ClosureInspector,
    probe: VariableProbe,
    analyser: SiteAnalyser,
    packages: PackageValues
  ) {
    this.#inspector = inspector
    this.#sharedState = new SharedState(probe)
    this.#analyser = analyser
    this.#packages = packages
  }

  /**
   * Begins a value. The closures of one that is begun again are known already: what they captured is taken once, however
   * long it takes to find out the rest.
   */
  begin(closures?: KnownClosures): void {
    this.#closures = closures
    // Clearing what is empty costs as much as printing a number.
    if (this.hashes.size > 0) this.hashes.clear()
    this.#sharedState.reset()
  }

  /** Begins the value begun last once more, after some of its functions turned out to share variables. */
  beginAgain(): void {
    this.hashes.clear()
    this.#sharedState.restart()
  }

  /** Of the value begun last. Made when a function is met: most values hold none. */
  get closures(): KnownClosures {
    return (this.#closures ??= new Map())
  }

  writeFunction(fn: Function, encoder: ValueWriter): void {
    if (types.isProxy(fn)) refuse('Proxy', 'a Proxy cannot be looked into', 'send the function behind it')
    // Listing all built-ins takes longer than many a job, so they are asked only about what may be one.
    const text = Function.prototype.toString.call(fn)
    const mayBeBuiltin = isNative(text) || this.#packages.find(fn) !== undefined
    if (mayBeBuiltin && this.writeBuiltin(fn, encoder)) return
    if (isNative(text)) return this.#writeBound(fn, encoder)
    const { closure, site } = this.#look(fn, text)
    if (isForeign(site)) {
      if (this.writeBuiltin(fn, encoder)) return
      const name = fn.name === '' ? 'function of Node itself' : fn.name
      return refuse(
        name,
        `${name} is internal to Node`,
        'import it inside the function, from the module that exports it'
      )
    }
    this.#sharedState.add(sharingOf(site), fn)
    const variant = this.#variantOf(site, fn, closure)
    for (const hash of variant.hashes) this.hashes.add(hash)
    writeClosed(fn, encoder, () => this.#writeSite(fn, closure, variant, encoder))
    // Only now: a variable without a value yet would have been refused, and may have one next time.
    if (site.isConstant) this.#constants.set(fn, closure)
  }

  /** The site as it is in this value: with cells for the variables that functions of the value share. */
  #variantOf(site: Site, fn: Function, { scopes }: Closure): Site {
    const { captured, keys } = site.unit
    const sharing = sharingOf(site)
    const isShared = (name: string): boolean =>
      cellIn(scopes, name) !== undefined || this.#sharedState.cellOf(sharing, fn, name) !== undefined
    const cells = captured.slice(keys).filter(isShared)
    if (cells.length === 0) return site
    const variants = this.#variants.get(site) ?? new Map<string, Site>()
    this.#variants.set(site, variants)
    const key = cells.join()
    const variant = variants.get(key) ?? this.#analyser.withCells(site, cells)
    variants.set(key, variant)
    return variant
  }

  #writeSite(fn: Function, closure: Closure, site: Site, encoder: ValueWriter): void {
    const more = describeConstructor(fn, site)
    if (more === undefined) this.#writeClosure(fn, closure, site, encoder)
    else this.#writeConstructor(fn, more, closure, site, encoder)
  }

  writeBuiltin(value: object, encoder: ValueWriter): boolean {
    const path: BuiltinPath | undefined = this.#builtins.pathOf(value)
    if (path === undefined) return this.#writePackageValue(value, encoder)
    writeBuiltinPath(path, encoder)
    return true
  }

  #writePackageValue(value: object, encoder: ValueWriter): boolean {
    const found = this.#packages.find(value)
    if (found === undefined) return false
    this.hashes.add(found.hash)
    writeMember(found.hash, found.path, encoder)
    return true
  }

  writeSpecial(value: object, encoder: ValueWriter): boolean {
    if (types.isModuleNamespaceObject(value)) {
      this.#writeNamespace(value as Record<string, unknown>, encoder)
      return true
    }
    this.#refuseForeignInstance(value)
    return false
  }

  canWriteClass(constructor: Function): boolean {
    if (typeof constructor !== 'function') return false
    const text = Function.prototype.toString.call(constructor)
    return !isNative(text) && !isForeign(this.#look(constructor, text).site)
  }

  checkProperty(): void {}

  identifySymbol(symbol: symbol): number {
    return this.identities.of(symbol)
  }

  #look(fn: Function, text: string): KnownFunction {
    const closure = this.#constants.get(fn) ?? this.closures.get(fn) ?? this.#inspector.inspect(fn)
    this.closures.set(fn, closure)
    const { location } = closure
    // The length tells a method apart from the class that begins at the same place.
    const key = `${location?.scriptId}:${location?.line}:${location?.column}:${text.length}`
    const site = this.#sites.get(key) ?? this.#analyse(key, fn, text, closure)
    if (isForeign(site) || this.#analyser.isCurrent(site)) return { closure, site }
    // oxlint-disable-next-line typescript/only-throw-error
    throw new Pending(async () => {
      this.#sites.set(key, await this.#analyser.relink(site))
    })
  }

  #analyse(key: string, fn: Function, text: string, closure: Closure): never {
    // oxlint-disable-next-line typescript/only-throw-error
    throw new Pending(async () => {
      this.#sites.set(key, await this.#analyser.analyse(fn, text, closure))
    })
  }

  #writeClosure(fn: Function, closure: Closure, site: Site, encoder: ValueWriter): void {
    encoder.writer.tag(TAG.closure)
    encoder.writer.array(2)
    encoder.writer.bytes(site.hashBytes)
    this.#writeCaptured(fn, closure, site, encoder)
  }

  #writeCaptured(fn: Function, { scopes }: Closure, site: Site, encoder: ValueWriter): void {
    const sharing = sharingOf(site)
    const { captured, privateStatics, keys = 0 } = site.unit
    encoder.writer.array(captured.length + privateStatics.length)
    for (const [index, name] of captured.entries()) {
      const before = encoder.writer.length
      encoder.path.push({ captured: name })
      const isKey = index < keys && site.class !== undefined
      const value = isKey ? readKey(fn, site.class.computedKeys, name, scopes) : readVariable(scopes, name)
      if (site.unit.cells?.includes(name) === true)
        writeCell(cellIn(scopes, name) ?? this.#sharedState.cellOf(sharing, fn, name), value, encoder)
      else encoder.write(selectMembers(value, site.membersOf.get(name)))
      this.onCapture(encoder.writer.length - before)
      encoder.path.pop()
    }
    if (privateStatics.length === 0) return
    const values = this.#inspector.inspectPrivate(fn)
    for (const name of privateStatics) encoder.writeAt(`#${name}`, values.get(`#${name}`))
  }

  #writeConstructor(
    fn: Function,
    more: ConstructorParts,
    closure: Closure,
    site: Site,
    encoder: ValueWriter
  ): void {
    const { writer } = encoder
    // Instances made elsewhere come back as instances of this one.
    const makesInstances = site.class !== undefined || more.prototypeProperties.length > 0
    if (makesInstances || more.prototypeParent !== undefined) {
      writer.tag(TAG.identity)
      writer.array(2)
      writer.number(this.identities.of(fn))
    }
    writer.tag(TAG.constructor)
    writer.array(6)
    writer.bytes(site.hashBytes)
    this.#writeCaptured(fn, closure, site, encoder)
    writeConstructorParts(more, encoder)
  }

  #writeBound(fn: Function, encoder: ValueWriter): void {
    const bound = this.#inspector.inspectBound(fn)
    if (bound === undefined) {
      const name = fn.name === '' ? 'native function' : fn.name
      return refuse(
        name,
        'a native function exists only in this process',
        'call it from a function of your own'
      )
    }
    writeBound(bound, encoder)
  }

  /** A local module taken whole: an object of what it exports. */
  #writeNamespace(namespace: Record<string, unknown>, encoder: ValueWriter): void {
    const whole: unknown = namespace['default']
    if (typeof whole === 'object' && whole !== null && this.#builtins.pathOf(whole) !== undefined)
      return encoder.write(whole)
    const names = Object.keys(namespace)
    encoder.writer.tag(TAG.extended)
    encoder.writer.array(4)
    encoder.writer.map(0)
    encoder.write(null)
    encoder.writeProperties(names.map((key) => ({ key, flags: 1, value: namespace[key] })))
    encoder.writer.number(3)
  }

  #refuseStateOf(constructor: Function): void {
    if (!this.canWriteClass(constructor)) refuseInstanceOf(constructor.name)
    const { site } = this.#look(constructor, Function.prototype.toString.call(constructor))
    if (isForeign(site) || site.class?.hasPrivateInstanceMembers !== true) return
    const name = constructor.name === '' ? 'class without a name' : constructor.name
    refuse(
      `${name} with private state`,
      `the private members (#name) of ${article(name)} cannot be read from outside`,
      'send what its constructor needs and make it inside the function'
    )
  }

  /** An instance of one of the runtime's classes holds more than its properties: something of this process. */
  #refuseForeignInstance(value: object): void {
    let prototype: unknown = Object.getPrototypeOf(value)
    while (typeof prototype === 'object' && prototype !== null && prototype !== Object.prototype) {
      const constructor: unknown = Object.hasOwn(prototype, 'constructor')
        ? Reflect.get(prototype, 'constructor')
        : undefined
      if (typeof constructor === 'function' && !isInert(homeClass(constructor) ?? constructor))
        this.#refuseStateOf(constructor)
      prototype = Object.getPrototypeOf(prototype)
    }
  }
}

/** What names a member of a class: it is read of the class where only the making of the class used the variable. */
function readKey(fn: Function, keys: ComputedKeys, name: string, scopes: Closure['scopes']): unknown {
  const value = hasVariable(scopes, name) ? readVariable(scopes, name) : findKey(fn, keys, name)
  checkKey(fn, keys, name, value)
  return value
}

/** Of a module's namespace only what is used; anything else as it is. */
function selectMembers(value: unknown, members: ReadonlySet<string> | undefined): unknown {
  if (members === undefined || !types.isModuleNamespaceObject(value)) return value
  const namespace = value as Record<string, unknown>
  return Object.fromEntries(
    [...members].filter((name) => name in namespace).map((name) => [name, namespace[name]])
  )
}
