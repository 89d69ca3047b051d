import type { ClosureInspector, Location } from './closure-inspector.ts'
import type { Sharing } from './shared-state.ts'
import type { Reader } from '../read/read.ts'
import type { FunctionUnit, NestedFunction } from '../unit.ts'

/** A function that a job made: the unit in whose text it is written, and where. */
export interface MadeSite {
  readonly hash: string
  readonly start: number
  readonly described: NestedFunction
  readonly sharing: Sharing
}

/**
 * Finds where functions are written that jobs made. Runs in the worker process, which has no parser: what functions each
 * unit has inside, and what they capture, came with the unit.
 */
export class MadeSites {
  readonly #reader: Reader
  readonly #inspector: ClosureInspector
  readonly #known = new WeakMap<Function, MadeSite | null>()
  readonly #sharings = new Map<string, Sharing>()
  /** Of each script that units were compiled to. */
  readonly #units = new Map<string, { readonly hash: string; readonly unit: FunctionUnit }>()
  readonly #listed = new Set<string>()

  constructor(reader: Reader, inspector: ClosureInspector) {
    this.#reader = reader
    this.#inspector = inspector
  }

  /** Undefined for a function of a package, of the runtime, or made of a text. */
  find(fn: Function): MadeSite | undefined {
    let made = this.#known.get(fn)
    if (made === undefined) {
      made = this.#locate(fn) ?? null
      this.#known.set(fn, made)
    }
    return made ?? undefined
  }

  #locate(fn: Function): MadeSite | undefined {
    const location = this.#inspector.locate(fn)
    const found = location === undefined ? undefined : this.#unitOf(location.scriptId)
    if (location === undefined || found === undefined) return undefined
    const { hash, unit } = found
    const text = Function.prototype.toString.call(fn)
    const near = offsetOf(location, unit)
    // Its text began before its parameters do. The innermost, of several that are written alike.
    const [start] = Object.keys(unit.nested ?? {})
      .map(Number)
      .filter((each) => each <= near && near <= each + text.length && unit.source.startsWith(text, each))
      .toSorted((one, other) => other - one)
    if (start === undefined) return undefined
    const described = unit.nested?.[start] ?? []
    return { hash, start, described, sharing: this.#sharingOf(hash, start, described) }
  }

  #sharingOf(hash: string, start: number, described: NestedFunction): Sharing {
    const place = `${hash} ${start}`
    const known = this.#sharings.get(place)
    if (known !== undefined) return known
    const shared = typeof described === 'object' && 'shared' in described ? described.shared : {}
    const variables = Object.entries(shared).map(
      ([name, key]) => [name, { key: `${hash} ${key}`, isOnly: false, isWritten: true }] as const
    )
    const sharing = { label: 'a function made while the job ran', variables: new Map(variables) }
    this.#sharings.set(place, sharing)
    return sharing
  }

  #unitOf(scriptId: string): { readonly hash: string; readonly unit: FunctionUnit } | undefined {
    for (const [hash, { unit, factory }] of this.#reader.openedSites()) {
      if (this.#listed.has(hash)) continue
      this.#listed.add(hash)
      const location = this.#inspector.locate(factory)
      if (location !== undefined) this.#units.set(location.scriptId, { hash, unit })
    }
    return this.#units.get(scriptId)
  }
}

/** A place in a unit's script, as an offset in its source. */
function offsetOf({ line, column }: Location, unit: FunctionUnit): number {
  const lines = line - unit.line
  if (lines <= 0) return column - unit.column
  let offset = 0
  for (const [index, each] of unit.source.split(/(?<=\r\n|[\n\u2028\u2029]|\r(?!\n))/).entries()) {
    if (index === lines) break
    offset += each.length
  }
  return offset + column
}
