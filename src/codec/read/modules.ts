import { builtinModuleName } from '../builtins.ts'
import { compileBundle } from './compile.ts'
import { moduleNotFound, type ModuleSource } from './link.ts'
import type { BundleUnit } from '../unit.ts'

/** Where something comes from that a bundle exports: the bundle, and the names that lead to it. */
export interface MemberPath {
  readonly hash: string
  readonly path: readonly string[]
}

/** The modules of one process: Node's own, and bundles, each evaluated once, when first asked for. */
export class Modules implements ModuleSource {
  readonly #requireBuiltin: (name: string) => unknown
  readonly #unit: (hash: string) => BundleUnit
  readonly #exports = new Map<string, object>()
  readonly #paths = new WeakMap<object, MemberPath>()

  constructor(requireBuiltin: (name: string) => unknown, unit: (hash: string) => BundleUnit) {
    this.#requireBuiltin = requireBuiltin
    this.#unit = unit
  }

  builtin(name: string): unknown {
    const module = this.#requireBuiltin(name)
    if (module === undefined) throw new TypeError(`this Node has no built-in module ${name}`)
    return module
  }

  member(hash: string, name: string): unknown {
    const value: unknown = Reflect.get(this.#exports.get(hash) ?? this.#evaluate(hash), name)
    for (const [part, path] of namedParts(value, name)) {
      if (!this.#paths.has(part)) this.#paths.set(part, { hash, path })
    }
    return value
  }

  /** How a function or object that came out of a bundle is found there again. */
  pathOf(value: object): MemberPath | undefined {
    return this.#paths.get(value)
  }

  #evaluate(hash: string): object {
    const module = { exports: {} }
    const require = (specifier: string): unknown => {
      const name = builtinModuleName(specifier)
      if (name === undefined) throw moduleNotFound(specifier, 'it was not bundled')
      return this.builtin(name)
    }
    compileBundle(this.#unit(hash))(module.exports, require, module)
    this.#exports.set(hash, module.exports)
    return module.exports
  }
}

/** What a bundle exports under a name, and the functions that it holds as properties: each with the names that lead to it. */
export function namedParts(value: unknown, name: string): [part: object, path: readonly string[]][] {
  if (typeof value === 'function') return [[value, [name]]]
  if (typeof value !== 'object' || value === null) return []
  const functions = Object.entries(value).filter(([, part]) => typeof part === 'function')
  return [[value, [name]], ...functions.map(([key, part]): [object, string[]] => [part, [name, key]])]
}
