// Runs in the worker process.
import {
  isBuiltin as isBuiltinOfNow,
  registerHooks as registerHooksOfNow,
  syncBuiltinESMExports as syncOfNow
} from 'node:module'
import { JobDeniedError, denialOf } from './denial.ts'
import { NET_OPTION, policyOf } from './builtin-policy.ts'
import type { Rights } from './builtin-policy.ts'

type Module = Record<PropertyKey, unknown>

/** Modules and the objects in them, as `fs.promises`; deeper there is nothing to call. */
const MAX_DEPTH = 3

// Taken before any job can change them.
const isBuiltin = isBuiltinOfNow
const registerHooks = registerHooksOfNow
const syncBuiltinESMExports = syncOfNow
const getBuiltin = process.getBuiltinModule.bind(process)
const getBuiltinModule = (id: string): Module | undefined => getBuiltin(id) as Module | undefined

/**
 * Gives jobs Node's built-in modules. Those that reach outside are changed in place the first time one is asked for, by
 * whatever way: `require`, `import` or `process.getBuiltinModule`; their functions then refuse, naming the option that
 * would allow them. They still load, because packages load what they may never use.
 */
export class Builtins {
  readonly #rights: Rights
  readonly #prepared = new Set<string>()

  constructor(rights: Rights) {
    this.#rights = rights
  }

  /** `require` for jobs. */
  readonly require = (id: string): unknown => {
    const module = this.get(id)
    if (module !== undefined) return module
    throw new JobDeniedError(`require("${id}")`, undefined)
  }

  /** `process.getBuiltinModule` for jobs. */
  readonly get = (id: string): unknown => {
    if (typeof id !== 'string' || !isBuiltin(id)) return undefined
    this.#prepare(id)
    return getBuiltinModule(id)
  }

  /** From now on `import` goes through here too. */
  hookImports(): void {
    registerHooks({
      resolve: (specifier, context, next) => {
        if (isBuiltin(specifier)) this.#prepare(specifier)
        else if (!specifier.startsWith('data:') && this.#rights.read.length === 0) {
          throw new JobDeniedError(`import("${specifier}")`, undefined)
        }
        return next(specifier, context)
      }
    })
  }

  #prepare(id: string): void {
    const name = id.replace(/^node:/, '')
    if (this.#prepared.has(name)) return
    this.#prepared.add(name)
    const policy = policyOf(name, this.#rights)
    if (policy.kind === 'open') return
    const module = getBuiltinModule(id)
    if (module === undefined) return
    if (policy.kind === 'denied') denyAll(module, name, policy.option, 0)
    else {
      for (const key of Object.keys(module)) {
        if (policy.isDenied(key)) denyOne(module, key, name, undefined, MAX_DEPTH)
      }
    }
    if (name === 'os' && !this.#rights.net) denyOne(module, 'networkInterfaces', name, NET_OPTION, MAX_DEPTH)
    if (name === 'module') replace(module, 'createRequire', () => this.require)
    syncBuiltinESMExports()
  }
}

function denyAll(object: Module, path: string, option: string | undefined, depth: number): void {
  for (const key of Reflect.ownKeys(object)) denyOne(object, key, path, option, depth)
}

function denyOne(
  object: Module,
  key: PropertyKey,
  path: string,
  option: string | undefined,
  depth: number
): void {
  const name = `${path}.${String(key)}`
  const value = readValue(object, key)
  if (typeof value === 'function') replace(object, key, denialOf(name, option))
  else if (typeof value !== 'object' || value === null) return
  else if (isPlain(value) && depth < MAX_DEPTH) denyAll(value, name, option, depth + 1)
  else replace(object, key, {})
}

function readValue(object: Module, key: PropertyKey): unknown {
  try {
    return object[key]
  } catch {
    return undefined
  }
}

function isPlain(value: object): value is Module {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

export function replace(object: object, key: PropertyKey, value: unknown): void {
  try {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
  } catch {
    // a constant, such as fs.constants.O_RDONLY: it reaches nothing
  }
}
