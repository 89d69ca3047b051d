import type { Closure, ClosureInspector, Location } from './closure-inspector.ts'
import { type ConstructorParts, describeConstructor } from './constructor-parts.ts'
import type { Reader } from '../read/read.ts'
import type { FunctionUnit, NestedFunction } from '../unit.ts'

/** A function that a job made: the unit in whose text it is written, and where. */
export interface MadeFunction {
  readonly hash: string
  readonly start: number
  readonly described: NestedFunction
}

/**
 * Finds where functions are written that jobs made. Runs in the worker process, which has no parser: what functions each
 * unit has inside, and what they capture, came with the unit.
 */
export class MadeFunctions {
  readonly #reader: Reader
  readonly #inspector: ClosureInspector
  readonly #known = new WeakMap<Function, MadeFunction | null>()
  /** Of each script that units were compiled to. */
  readonly #units = new Map<string, { readonly hash: string; readonly unit: FunctionUnit }>()
  readonly #listed = new Set<string>()

  constructor(reader: Reader, inspector: ClosureInspector) {
    this.#reader = reader
    this.#inspector = inspector
  }

  /** Undefined for a function of a package, of the runtime, or made of a text. */
  find(fn: Function): MadeFunction | undefined {
    let made = this.#known.get(fn)
    if (made === undefined) {
      made = this.#locate(fn) ?? null
      this.#known.set(fn, made)
    }
    return made ?? undefined
  }

  /** The variables of a function that was found. Nobody else's are looked into. */
  inspect(fn: Function): Closure {
    return this.#inspector.inspect(fn)
  }

  privateOf(value: object): ReadonlyMap<string, unknown> {
    return this.#inspector.inspectPrivate(value)
  }

  boundOf(fn: Function): ReturnType<ClosureInspector['inspectBound']> {
    return this.#inspector.inspectBound(fn)
  }

  #locate(fn: Function): MadeFunction | undefined {
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
    return start === undefined ? undefined : { hash, start, described: unit.nested?.[start] ?? [] }
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

/** What a made class or function has beyond its text and captured variables; undefined when that is nothing. */
export function describeMade(fn: Function): ConstructorParts | undefined {
  const text = Function.prototype.toString.call(fn)
  const known = { text, unit: { name: fn.name }, length: fn.length }
  if (!text.startsWith('class')) return describeConstructor(fn, { ...known, class: undefined })
  return describeConstructor(fn, {
    ...known,
    class: {
      parentName: /^class\b[^{]*\bextends\b/.test(text) ? '' : undefined,
      staticMembers: hiddenKeys(fn),
      instanceMembers: hiddenKeys(fn.prototype as object),
      hasComputedMembers: false
    }
  })
}

/** What the body of a class makes methods and accessors of; values of its statics can be listed. */
function hiddenKeys(owner: object): ReadonlySet<string> {
  return new Set(
    Object.entries(Object.getOwnPropertyDescriptors(owner))
      .filter(([, { enumerable }]) => enumerable !== true)
      .map(([key]) => key)
  )
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
