import { CellScope } from './cells.ts'
import { compileFunction, type Factory, type Instance, unwrap, withPrivate } from './compile.ts'
import { linkAll } from './link.ts'
import type { NestedUnit } from '../source/nested-unit.ts'
import type { Modules } from './modules.ts'
import type { FunctionUnit } from '../unit.ts'
import type { UnitStore } from './unit-store.ts'
import type { ValueReader } from './value-reader.ts'

/** Where a function that was read comes from: what it takes to print it again. */
export interface Origin {
  readonly hash: string
  readonly unit: FunctionUnit
  readonly instance: Instance
  readonly cells: CellScope
}

/** A function that a job made, and the way to its private static fields, if it is a class that has some. */
export interface MadeFunction {
  readonly fn: Function
  readonly setPrivate: (values: Readonly<Record<string, unknown>>) => void
}

interface Site {
  readonly unit: FunctionUnit
  /** A function of its script. */
  readonly factory: Factory
  readonly make: () => { readonly instance: Instance; readonly cells: CellScope }
}

interface MadeSite extends Site {
  readonly names: readonly string[]
}

/** Makes functions of their units, each of which is compiled when first used. */
export class FunctionSites {
  readonly #units: UnitStore
  readonly #modules: Modules
  readonly #sites = new Map<string, Site>()
  readonly #made = new Map<string, MadeSite>()
  readonly #origins = new WeakMap<Function, Origin>()
  readonly #findNested: (hash: string, start: number) => NestedUnit | undefined

  /** @param findNested a function written inside a unit, taken out of it */
  constructor(
    units: UnitStore,
    modules: Modules,
    findNested: (hash: string, start: number) => NestedUnit | undefined
  ) {
    this.#units = units
    this.#modules = modules
    this.#findNested = findNested
  }

  /** Each unit that was used, with a function of its script. */
  opened(): IterableIterator<[hash: string, site: Pick<Site, 'unit' | 'factory'>]> {
    return this.#sites.entries()
  }

  originOf(fn: Function): Origin | undefined {
    return this.#origins.get(fn)
  }

  /** Reads [unit, captured values, …]: the unit and the values; what follows is not read. */
  instantiate(decoder: ValueReader): Function {
    const hash = hexOf(decoder.readBytes())
    let site = this.#sites.get(hash)
    if (site === undefined) {
      site = this.#openSite(this.#units.get(hash, 'function'))
      this.#sites.set(hash, site)
    }
    const { unit } = site
    const { instance, cells } = site.make()
    const captured = unit.captured.length
    const count = decoder.readCount(captured + unit.privateStatics.length)
    const values = readKeys(decoder, unit.keys ?? 0)
    if (values.length > 0) instance.set(values)
    const fn = decoder.register(unwrap(instance.make(), unit.form))
    if (fn.name !== unit.name && typeof unit.name === 'string') {
      Object.defineProperty(fn, 'name', { value: unit.name, configurable: true })
    }
    this.#origins.set(fn, { hash, unit, instance, cells })
    while (values.length < count) values.push(decoder.read())
    instance.set(
      values.slice(0, captured).filter((value, index) => !cells.take(unit.captured[index] ?? '', value))
    )
    if (count > captured) instance.setPrivate(values.slice(captured))
    return fn
  }

  /** Reads [unit, start, name, shares variables, values, …]: a function that a job made; what follows is not read. */
  instantiateMade(decoder: ValueReader): MadeFunction {
    const [hash, start] = [hexOf(decoder.readBytes()), decoder.readAs('number')]
    const name = decoder.readAs('string')
    const { unit, names, make } = this.#madeSite(hash, start, decoder.read() === true, decoder)
    const { instance, cells } = make()
    const fn = decoder.register(unwrap(instance.make(), unit.form))
    if (fn.name !== name) Object.defineProperty(fn, 'name', { value: name, configurable: true })
    decoder.readCount(names.length)
    const values = new Map<string, unknown>()
    for (const each of names) values.set(each, decoder.read())
    const own = unit.captured.filter((each) => !cells.take(each, values.get(each)))
    instance.set(own.map((each) => values.get(each)))
    return {
      fn,
      setPrivate: (given) => instance.setPrivate(unit.privateStatics.map((each) => given[`#${each}`]))
    }
  }

  #madeSite(hash: string, start: number, isShared: boolean, decoder: ValueReader): MadeSite {
    const key = `${hash} ${start} ${isShared}`
    const known = this.#made.get(key)
    if (known !== undefined) return known
    const { unit, names } =
      this.#findNested(hash, start) ??
      decoder.reader.fail(`no function begins at ${start} of the unit ${hash}`)
    // Which of them are shared is seen when their values come: too late for the text around the function.
    const site = { ...this.#openSite(isShared ? { ...unit, cells: unit.captured } : unit), names }
    this.#made.set(key, site)
    return site
  }

  #openSite(unit: FunctionUnit): Site {
    const factory: Factory = compileFunction(unit)
    const links = linkAll(unit.links, this.#modules)
    // Replaced as soon as the class stands: see setPrototype below.
    if (unit.parentName !== undefined) links.push(function () {})
    const make = (): ReturnType<Site['make']> => {
      const cells = new CellScope(unit.cells ?? [])
      return { instance: withPrivate((give) => factory(...links, give, cells.names)), cells }
    }
    return { unit, factory, make }
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

export function hexOf(bytes: Uint8Array<ArrayBuffer>): string {
  return Buffer.from(bytes.buffer).toString('hex')
}
