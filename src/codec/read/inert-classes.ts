import { EventEmitter } from 'node:events'

const NAMES = `Object Array ArrayBuffer DataView Date RegExp Map Set Boolean Number String BigInt Symbol
Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array Float16Array Float32Array Float64Array BigInt64Array
BigUint64Array Buffer Error EvalError RangeError ReferenceError SyntaxError TypeError URIError AggregateError DOMException URL URLSearchParams`

/** Classes of the runtime whose instances are no more than what is printed of them. */
const INERT: ReadonlySet<unknown> = new Set([
  ...NAMES.split(/\s+/).map((name) => Reflect.get(globalThis, name) as unknown),
  EventEmitter,
  Object.getPrototypeOf(Uint8Array),
  ...Object.values(Object.getOwnPropertyDescriptors(Reflect.get(globalThis, 'Temporal') ?? {})).map(
    ({ value }) => value as unknown
  )
])

export function isInert(constructor: Function): boolean {
  return INERT.has(constructor)
}
