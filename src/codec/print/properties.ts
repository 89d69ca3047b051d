import { inspect } from 'node:util'

export interface Property {
  readonly key: string | symbol
  readonly flags: number
  /** The value; of an accessor, `[getter, setter]`. */
  readonly value: unknown
}

/** Bits of a property's flags. */
export const ENUMERABLE = 1
export const WRITABLE = 2
export const CONFIGURABLE = 4
export const ACCESSOR = 8

/** How far an object is closed to change, as a number: open, no additions, sealed, frozen. */
export function integrityOf(value: object): number {
  if (Object.isExtensible(value)) return 0
  if (Object.isFrozen(value)) return 3
  return Object.isSealed(value) ? 2 : 1
}

export function toProperty(key: string | symbol, descriptor: PropertyDescriptor): Property {
  const enumerable = descriptor.enumerable === true ? ENUMERABLE : 0
  const configurable = descriptor.configurable === true ? CONFIGURABLE : 0
  if (descriptor.get !== undefined || descriptor.set !== undefined) {
    return { key, flags: ACCESSOR | enumerable | configurable, value: accessorPair(descriptor) }
  }
  const writable = descriptor.writable === true ? WRITABLE : 0
  return { key, flags: enumerable | writable | configurable, value: descriptor.value }
}

function accessorPair(descriptor: PropertyDescriptor): unknown[] {
  return [Reflect.get(descriptor, 'get'), Reflect.get(descriptor, 'set')]
}

/** Own properties, as they are: accessors are not called. */
export function propertiesOf(value: object, without?: (key: string | symbol) => boolean): Property[] {
  const properties: Property[] = []
  for (const key of Reflect.ownKeys(value)) {
    if (without?.(key) === true) continue
    const descriptor = Object.getOwnPropertyDescriptor(value, key)
    if (descriptor !== undefined) properties.push(toProperty(key, descriptor))
  }
  return properties
}

/** Defines what {@link propertiesOf} found. `__proto__` is a property like any other here. */
export function defineProperty(target: object, { key, flags, value }: Property): void {
  const enumerable = (flags & ENUMERABLE) !== 0
  const configurable = (flags & CONFIGURABLE) !== 0
  if ((flags & ACCESSOR) === 0) {
    Object.defineProperty(target, key, {
      value,
      enumerable,
      configurable,
      writable: (flags & WRITABLE) !== 0
    })
    return
  }
  const [get, set] = value as [() => unknown, (value: unknown) => void]
  Object.defineProperty(target, key, { get, set, enumerable, configurable })
}

export function applyIntegrity(target: object, integrity: unknown): void {
  if (integrity === 1) Object.preventExtensions(target)
  else if (integrity === 2) Object.seal(target)
  else if (integrity === 3) Object.freeze(target)
}

interface PlainRecord {
  readonly keys: readonly string[]
  readonly values: readonly unknown[]
  readonly hasFunctions: boolean
}

/** The keys and values of an object that is nothing but those; undefined when there is more to it. */
export function readRecord(value: object): PlainRecord | undefined {
  const keys = Object.keys(value)
  if (!Object.isExtensible(value)) return undefined
  if (Object.getOwnPropertyNames(value).length !== keys.length) return undefined
  if (Object.getOwnPropertySymbols(value).length > 0) return undefined
  const values: unknown[] = []
  let hasFunctions = false
  for (const key of keys) {
    const descriptor = Object.getOwnPropertyDescriptor(value, key)
    // A method made by a class, or a getter, is no plain value; nor is what cannot be assigned to.
    if (descriptor?.writable !== true || !descriptor.configurable || !key.isWellFormed()) return undefined
    values.push(descriptor.value)
    if (typeof descriptor.value === 'function') hasFunctions = true
  }
  return { keys, values, hasFunctions }
}

/** Longest array whose keys are counted; a longer one would pay with a string for each of its elements. */
const COUNT_KEYS_UP_TO = 16

/** Whether an array is nothing but its elements: no holes, no further properties, open to change. */
export function isDense(array: readonly unknown[]): boolean {
  const { length } = array
  if (!Object.isExtensible(array)) return false
  for (let index = 0; index < length; index++) {
    if (array[index] === undefined && !Object.hasOwn(array, index)) return false
  }
  return !hasMoreThanElements(array)
}

/** Whether an array or typed array has properties that are no elements. */
export function hasMoreThanElements(array: ArrayLike<unknown>): boolean {
  if (Object.getOwnPropertySymbols(array).length > 0) return true
  if (array.length <= COUNT_KEYS_UP_TO) return Object.keys(array).length !== array.length
  // Node's inspector knows a way to list the other properties that JavaScript does not offer.
  const shown = inspect(array, { maxArrayLength: 0, depth: 0, customInspect: false })
  return !/\[ \.\.\. \d+ more items? \]$/.test(shown)
}
