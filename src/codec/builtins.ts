import { builtinModules } from 'node:module'

/** Where every Node keeps something: the module (empty for a global), and the names that lead to it from there. */
export type BuiltinPath = readonly [module: string, ...names: string[]]

/** Globals of Node 24 and later that a function may use without anything travelling. */
const GLOBALS =
  `AbortController AbortSignal AggregateError Array ArrayBuffer AsyncDisposableStack Atomics BigInt BigInt64Array
BigUint64Array Blob Boolean BroadcastChannel Buffer ByteLengthQueuingStrategy CloseEvent CompressionStream CountQueuingStrategy Crypto
CryptoKey CustomEvent DOMException DataView Date DecompressionStream DisposableStack Error ErrorEvent EvalError Event EventSource EventTarget File
FinalizationRegistry Float16Array Float32Array Float64Array FormData Function Headers Infinity Int16Array Int32Array Int8Array Intl
Iterator JSON Map Math MessageChannel MessageEvent MessagePort NaN Navigator Number Object Performance PerformanceEntry PerformanceMark
PerformanceMeasure PerformanceObserver PerformanceObserverEntryList PerformanceResourceTiming Promise Proxy QuotaExceededError RangeError ReadableByteStreamController
ReadableStream ReadableStreamBYOBReader ReadableStreamBYOBRequest ReadableStreamDefaultController ReadableStreamDefaultReader ReferenceError
Reflect RegExp Request Response Set SharedArrayBuffer Storage String SubtleCrypto SuppressedError Symbol SyntaxError Temporal TextDecoder
TextDecoderStream TextEncoder TextEncoderStream TransformStream TransformStreamDefaultController TypeError URIError URL URLPattern
URLSearchParams Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakRef WeakSet WebAssembly WebSocket
WritableStream WritableStreamDefaultController WritableStreamDefaultWriter atob btoa clearImmediate clearInterval clearTimeout console
crypto decodeURI decodeURIComponent encodeURI encodeURIComponent escape eval fetch global globalThis isFinite isNaN localStorage navigator
parseFloat parseInt performance process queueMicrotask sessionStorage setImmediate setInterval setTimeout structuredClone undefined
unescape`.split(/\s+/)

const GLOBAL_NAMES: ReadonlySet<string> = new Set(GLOBALS)

/** Objects whose members are values of this process, or are slow or noisy to look at. */
const NOT_LISTED: ReadonlySet<string> = new Set([
  'undefined',
  'NaN',
  'Infinity',
  'localStorage',
  'sessionStorage',
  'navigator'
])

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
    return this.#paths.get(value)
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
    for (const name of GLOBALS) {
      if (NOT_LISTED.has(name)) continue
      const value: unknown = Reflect.get(globalThis, name)
      if (isObject(value)) this.#list(value, ['', name], name === 'process' || name === 'globalThis' ? 0 : 2)
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

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}
