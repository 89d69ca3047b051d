import { types } from 'node:util'
import { type BuiltinPath, Builtins } from '../builtins.ts'
import type { ClosureInspector } from './closure-inspector.ts'
import { isNative } from './constructor-parts.ts'
import { refuse } from '../errors.ts'
import { homeClass } from '../read/home-realm.ts'
import { isInert } from '../read/inert-classes.ts'
import { Identities } from '../identity.ts'
import { type KnownClosures, KnownFunctions } from './known-functions.ts'
import type { PackageValues } from '../bundle/package-values.ts'
import { article, refuseInstanceOf } from './refusals.ts'
import { SharedState } from './shared-state.ts'
import { SiteWriter } from './site-writer.ts'
import type { VariableProbe } from './variable-probe.ts'
import { isForeign, type SiteAnalyser } from '../source/site-analyser.ts'
import { TAG } from '../tags.ts'
import type { FunctionWriter, ValueWriter } from './value-writer.ts'
import { writeBound, writeBuiltinPath, writeMember } from './write-function.ts'

/** Writes functions of this process, by looking into them. */
export class LiveFunctions implements FunctionWriter {
  readonly identities = new Identities()
  /** Units of the value being written. */
  readonly hashes = new Set<string>()
  readonly #inspector: ClosureInspector
  readonly #functions: KnownFunctions
  readonly #packages: PackageValues
  readonly #builtins = new Builtins()
  readonly #writer: SiteWriter

  /** @param onCapture called after each captured variable with the bytes that it takes */
  constructor(
    inspector: ClosureInspector,
    probe: VariableProbe,
    analyser: SiteAnalyser,
    packages: PackageValues,
    onCapture: (bytes: number) => void
  ) {
    this.#inspector = inspector
    this.#functions = new KnownFunctions(inspector, analyser)
    this.#packages = packages
    this.#writer = new SiteWriter(inspector, new SharedState(probe), analyser, this.identities, onCapture)
  }

  /** Begins a value, or one that was begun before once more, with what was seen in its functions then. */
  begin(closures?: KnownClosures): void {
    this.#functions.begin(closures)
    // Clearing what is empty costs as much as printing a number.
    if (this.hashes.size > 0) this.hashes.clear()
    this.#writer.begin()
  }

  /** Begins the value begun last once more, after some of its functions turned out to share variables. */
  beginAgain(): void {
    this.hashes.clear()
    this.#writer.beginAgain()
  }

  /** What was seen in the functions of the value begun last. */
  get closures(): KnownClosures {
    return this.#functions.closures
  }

  writeFunction(fn: Function, encoder: ValueWriter): void {
    if (types.isProxy(fn)) refuse('Proxy', 'a Proxy cannot be looked into', 'send the function behind it')
    // Listing all built-ins takes longer than many a job, so they are asked only about what may be one.
    const text = Function.prototype.toString.call(fn)
    const mayBeBuiltin = isNative(text) || this.#packages.find(fn) !== undefined
    if (mayBeBuiltin && this.writeBuiltin(fn, encoder)) return
    if (isNative(text)) return this.#writeBound(fn, encoder)
    const { closure, site } = this.#functions.look(fn, text)
    if (isForeign(site)) {
      if (this.writeBuiltin(fn, encoder)) return
      const name = fn.name === '' ? 'function of Node itself' : fn.name
      return refuse(
        name,
        `${name} is internal to Node`,
        'import it inside the function, from the module that exports it'
      )
    }
    for (const hash of this.#writer.write(fn, closure, site, encoder)) this.hashes.add(hash)
    // Only now: a variable without a value yet would have been refused, and may have one next time.
    if (site.isConstant) this.#functions.keep(fn, closure)
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
    return !isNative(text) && !isForeign(this.#functions.look(constructor, text).site)
  }

  checkProperty(): void {}

  identifySymbol(symbol: symbol): number {
    return this.identities.of(symbol)
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
    const { site } = this.#functions.look(constructor, Function.prototype.toString.call(constructor))
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
