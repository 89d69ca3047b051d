import { type Property, propertiesOf } from './properties.ts'
import type { ClassAnalysis } from '../source/analyse-class.ts'

export interface ConstructorParts {
  readonly parent: unknown
  readonly prototypeParent: unknown
  readonly prototypeProperties: readonly Property[]
  readonly properties: readonly Property[]
}

/** What is known of the text of a function. */
export interface KnownText {
  readonly text: string
  readonly unit: { readonly name: string }
  readonly length: number
  readonly class:
    | Pick<ClassAnalysis, 'parentName' | 'staticMembers' | 'instanceMembers' | 'hasComputedMembers'>
    | undefined
}

const FUNCTION_KEYS: ReadonlySet<string | symbol> = new Set(['prototype', 'arguments', 'caller'])

/** What a function has beyond its text and captured variables; undefined when that is nothing. */
export function describeConstructor(fn: Function, site: KnownText): ConstructorParts | undefined {
  const members = site.class
  const named = fn.name === site.unit.name || Object.getOwnPropertyDescriptor(fn, 'name') === undefined
  const properties = propertiesOf(fn, (key) => {
    if (key === 'name') return named
    if (key === 'length') return fn.length === site.length
    return FUNCTION_KEYS.has(key) || isWrittenOut(fn, key, site, members?.staticMembers)
  })
  const prototype: unknown = Object.hasOwn(fn, 'prototype') ? fn.prototype : undefined
  const own = typeof prototype === 'object' && prototype !== null && Object.hasOwn(prototype, 'constructor')
  if (typeof prototype === 'object' && prototype !== null && !own && !isGeneratorPrototype(prototype)) {
    properties.push({ key: 'prototype', flags: 2, value: prototype })
  }
  const prototypeProperties = own
    ? propertiesOf(
        prototype,
        (key) => key === 'constructor' || isWrittenOut(prototype, key, site, members?.instanceMembers)
      )
    : []
  const prototypeParent: unknown = own ? Object.getPrototypeOf(prototype) : Object.prototype
  const parent: unknown = Object.getPrototypeOf(fn)
  const hasParent = members?.parentName !== undefined || !isUsualParent(parent)
  const hasPrototypeParent =
    own && (members?.parentName !== undefined || prototypeParent !== Object.prototype)
  if (
    members === undefined &&
    !hasParent &&
    !hasPrototypeParent &&
    properties.length + prototypeProperties.length === 0
  ) {
    return undefined
  }
  return {
    parent: hasParent ? parent : undefined,
    prototypeParent: hasPrototypeParent ? prototypeParent : undefined,
    prototypeProperties,
    properties
  }
}

/** A member that evaluating the class makes, unless something else was put in its place, as a decorator does. */
function isWrittenOut(
  owner: object,
  key: string | symbol,
  site: KnownText,
  names: ReadonlySet<string> | undefined
): boolean {
  // A symbol as key is an expression of the class body, and is evaluated with it.
  if (
    names === undefined ||
    (typeof key === 'string' && !names.has(key) && site.class?.hasComputedMembers !== true)
  )
    return false
  const descriptor = Object.getOwnPropertyDescriptor(owner, key) ?? {}
  const parts: unknown[] = Object.values(descriptor).filter(
    (part) => typeof part !== 'boolean' && part !== undefined
  )
  return (
    parts.length > 0 && parts.every((part) => typeof part === 'function' && site.text.includes(String(part)))
  )
}

function isGeneratorPrototype(prototype: object): boolean {
  return (
    Reflect.ownKeys(prototype).length === 0 && Object.prototype.toString.call(prototype).includes('Generator')
  )
}

/** What functions of a kind have as prototype: Function.prototype, or an object as AsyncFunction.prototype is, of any realm. */
function isUsualParent(parent: unknown): boolean {
  if (typeof parent === 'function') {
    return isNative(Function.prototype.toString.call(parent)) && !Object.hasOwn(parent, 'prototype')
  }
  if (typeof parent !== 'object' || parent === null) return false
  const tag: unknown = Object.getOwnPropertyDescriptor(parent, Symbol.toStringTag)?.value
  return typeof tag === 'string' && tag.endsWith('Function')
}

/** A function without source: of the runtime, or made by `bind`. */
export function isNative(text: string): boolean {
  return text.endsWith('{ [native code] }')
}
