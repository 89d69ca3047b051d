import { attempt } from './attempt.ts'
import { ACCESSOR, applyIntegrity, defineProperty } from '../print/properties.ts'
import type { ValueReader } from './value-reader.ts'

/** [base, prototype or undefined, properties, integrity] */
export function readExtended(decoder: ValueReader): object {
  decoder.readCount(4)
  const base = decoder.read()
  if ((typeof base !== 'object' && typeof base !== 'function') || base === null)
    return decoder.reader.fail(`expected an object, got ${typeof base}`)
  decoder.functions.checkChange(base, decoder)
  const prototype = decoder.read()
  if (prototype !== undefined) setPrototype(base, prototype, decoder)
  readProperties(base, decoder)
  applyIntegrity(base, decoder.read())
  return base
}

/** Reads [key, flags, value, …] onto an object. */
export function readProperties(target: object, decoder: ValueReader): void {
  const count = decoder.readCount()
  if (count % 3 !== 0) decoder.reader.fail('properties come in threes')
  for (let index = 0; index < count; index += 3) {
    const key = decoder.read()
    const flags = decoder.readAs('number')
    const value = key === 'stack' ? mapStackOf(target, decoder) : decoder.read()
    if (typeof key !== 'string' && typeof key !== 'symbol')
      return decoder.reader.fail('expected a property key')
    if ((flags & ACCESSOR) !== 0 && !isAccessorPair(value))
      decoder.reader.fail('expected a getter and a setter')
    const isAccessor = (flags & ACCESSOR) !== 0
    if (isAccessor || typeof value === 'function') decoder.functions.checkProperty(key, isAccessor, decoder)
    attempt(decoder, () => defineProperty(target, { key, flags, value }))
  }
}

function mapStackOf(target: object, decoder: ValueReader): unknown {
  const stack = decoder.read()
  return target instanceof Error && typeof stack === 'string' ? decoder.functions.mapStack(stack) : stack
}

export function setPrototype(target: object, prototype: unknown, decoder: ValueReader): void {
  if (typeof prototype !== 'object' && typeof prototype !== 'function')
    decoder.reader.fail('expected a prototype')
  attempt(decoder, () => Object.setPrototypeOf(target, prototype))
}

function isAccessorPair(value: unknown): boolean {
  const isPart = (part: unknown) => part === undefined || typeof part === 'function'
  return Array.isArray(value) && value.length === 2 && value.every(isPart)
}
