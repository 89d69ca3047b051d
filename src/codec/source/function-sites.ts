import { CellScope } from '../print/cells.ts'
import { compileFunction, type Factory, type Instance, unwrap, withPrivate } from '../read/compile.ts'
import { linkAll } from '../read/link.ts'
import type { Modules } from '../read/modules.ts'
import type { FunctionUnit } from '../unit.ts'
import type { UnitStore } from '../read/unit-store.ts'
import type { ValueReader } from '../read/value-reader.ts'

/** Where a function that was read comes from: what it takes to print it again. */
export interface Origin {
  readonly hash: string
  readonly unit: FunctionUnit
  readonly instance: Instance
}

interface Site {
  readonly unit: FunctionUnit
  readonly make: () => { readonly instance: Instance; readonly cells: CellScope }
}

/** Makes functions of their units, each of which is compiled when first used. */
export class FunctionSites {
  readonly #units: UnitStore
  readonly #modules: Modules
  readonly #sites = new Map<string, Site>()
  readonly #origins = new WeakMap<Function, Origin>()

  constructor(units: UnitStore, modules: Modules) {
    this.#units = units
    this.#modules = modules
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
    this.#origins.set(fn, { hash, unit, instance })
    while (values.length < count) values.push(decoder.read())
    instance.set(
      values.slice(0, captured).filter((value, index) => !cells.take(unit.captured[index] ?? '', value))
    )
    if (count > captured) instance.setPrivate(values.slice(captured))
    return fn
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
    return { unit, make }
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
