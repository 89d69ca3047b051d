import { builtinModules } from 'node:module'

/** Where every Node keeps something: the module (empty for a global), and the names that lead to it from there. */
export type BuiltinPath = readonly [module: string, ...names: string[]]

/** Globals of Node 24 and later that a function may use without anything travelling. */
const EAGER =
  words(`AbortController AbortSignal AggregateError Array ArrayBuffer AsyncDisposableStack Atomics BigInt BigInt64Array
BigUint64Array Boolean Buffer DataView Date DisposableStack Error EvalError Event EventTarget FinalizationRegistry Float16Array Float32Array
Float64Array Function Infinity Int16Array Int32Array Int8Array Intl Iterator JSON Map Math NaN Number Object Promise Proxy RangeError
ReferenceError Reflect RegExp Set SharedArrayBuffer String SuppressedError Symbol SyntaxError Temporal TextDecoder TextEncoder TypeError URIError
URL URLSearchParams Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakRef WeakSet WebAssembly atob btoa clearImmediate
clearInterval clearTimeout console decodeURI decodeURIComponent encodeURI encodeURIComponent escape eval fetch global globalThis isFinite
isNaN parseFloat parseInt process queueMicrotask setImmediate setInterval setTimeout structuredClone undefined unescape`)

/** Globals that Node loads when they are first looked at, at the price of tens of milliseconds: so they are not looked at. */
const LAZY =
  words(`Blob BroadcastChannel ByteLengthQueuingStrategy CloseEvent CompressionStream CountQueuingStrategy Crypto CryptoKey
CustomEvent DOMException DecompressionStream ErrorEvent EventSource File FormData Headers MessageChannel MessageEvent MessagePort Navigator
Performance PerformanceEntry PerformanceMark PerformanceMeasure PerformanceObserver PerformanceObserverEntryList
PerformanceResourceTiming QuotaExceededError ReadableByteStreamController ReadableStream ReadableStreamBYOBReader
ReadableStreamBYOBRequest ReadableStreamDefaultController ReadableStreamDefaultReader Request Response Storage SubtleCrypto
TextDecoderStream TextEncoderStream TransformStream TransformStreamDefaultController URLPattern WebSocket WritableStream
WritableStreamDefaultController WritableStreamDefaultWriter crypto localStorage navigator performance sessionStorage`)

const LAZY_NAMES: ReadonlySet<string> = new Set(LAZY)
const GLOBAL_NAMES: ReadonlySet<string> = new Set([...EAGER, ...LAZY])

/** Objects whose members are values of this process. */
const OUTSIDE: ReadonlySet<string> = new Set(['process', 'globalThis', 'global'])

export function isGlobalName(name: string): boolean {
  return GLOBAL_NAMES.has(name)
}

/** The name a built-in module is reached by, without `node:`; undefined when a specifier names no built-in. */
export function builtinModuleName(specifier: string): string | undefined {
  if (specifier.startsWith('node:')) return specifier.slice('node:'.length)
  return builtinModules.includes(specifier) ? specifier : undefined
}

/**
 * Knows the functions and objects that every Node has, by identity. Only modules already loaded are listed, because
 * what belongs to another cannot be met; the list is made when it is first needed and again when more are loaded.
 */
export class Builtins {
  readonly #paths = new Map<object, BuiltinPath>()
  #loadedCount = -1

  pathOf(value: object): BuiltinPath | undefined {
    this.#refresh()
    return this.#paths.get(value) ?? lazyPathOf(value)
  }

  #refresh(): void {
    // Not in Node's documentation, yet the only list of what is loaded already; without it, everything is listed.
    const loaded: readonly string[] | undefined = Reflect.get(process, 'moduleLoadList')
    const count = loaded?.length ?? 0
    if (count === this.#loadedCount) return
    this.#loadedCount = count
    if (this.#paths.size === 0) this.#listGlobals()
    const isLoaded = new Set(loaded?.map((entry) => entry.replace('NativeModule ', '')))
    for (const name of builtinModules) {
      if (!isLoaded.has(name) || name.startsWith('_') || name === 'punycode' || name === 'sys') continue
      const module: unknown = process.getBuiltinModule(name)
      if (typeof module === 'object' || typeof module === 'function') this.#list(module as object, [name], 2)
    }
  }

  #listGlobals(): void {
    for (const name of EAGER) {
      const value: unknown = Reflect.get(globalThis, name)
      if (isObject(value)) this.#list(value, ['', name], OUTSIDE.has(name) ? 0 : 2)
    }
    this.#listFunctions(process, ['', 'process'])
  }

  #listFunctions(value: object, path: BuiltinPath): void {
    for (const [name, { value: part }] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
      if (typeof part === 'function' && !this.#paths.has(part as object))
        this.#paths.set(part as object, [...path, name])
    }
  }

  #list(value: object, path: BuiltinPath, depth: number): void {
    if (this.#paths.has(value)) return
    this.#paths.set(value, path)
    if (depth === 0) return
    for (const name of Object.getOwnPropertyNames(value)) {
      const part: unknown = Object.getOwnPropertyDescriptor(value, name)?.value
      // Array.prototype is an array itself; other arrays are values.
      const isValue = Array.isArray(part) && name !== 'prototype'
      if (isObject(part) && !isValue && name !== 'constructor') this.#list(part, [...path, name], depth - 1)
    }
  }
}

/** Finds what a path leads to. @throws TypeError when this Node has no such thing */
export function findBuiltin([module, ...names]: BuiltinPath, getModule: (name: string) => unknown): unknown {
  let value: unknown = module === '' ? globalThis : getModule(module)
  for (const name of names) {
    value = value === null || value === undefined ? undefined : Reflect.get(Object(value), name)
  }
  if (value === undefined)
    throw new TypeError(`this Node has no ${[module, ...names].filter(Boolean).join('.')}`)
  return value
}

/** By the name it says it has: so that nothing is loaded for values of other names. */
function lazyPathOf(value: object): BuiltinPath | undefined {
  if (typeof value === 'function') {
    return LAZY_NAMES.has(value.name) && isAt(value, value.name) ? ['', value.name] : undefined
  }
  const constructor: unknown = Object.getPrototypeOf(value)?.constructor
  const name = typeof constructor === 'function' ? constructor.name : ''
  if (name === 'SubtleCrypto' && isAt(value, 'crypto', 'subtle')) return ['', 'crypto', 'subtle']
  const instance = name.toLowerCase()
  return LAZY_NAMES.has(name) && LAZY_NAMES.has(instance) && isAt(value, instance)
    ? ['', instance]
    : undefined
}

function isAt(value: object, global: string, member?: string): boolean {
  const found: unknown = Reflect.get(globalThis, global)
  return value === (member === undefined ? found : Reflect.get(found as object, member))
}

function words(text: string): string[] {
  return text.split(/\s+/)
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}
