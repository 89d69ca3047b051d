import { isInert } from './inert-classes.ts'

/**
 * The prototype of an object; of an object that another realm made (`node:vm`), the one that objects of its kind have in
 * this realm.
 */
export function homePrototypeOf(value: object): object | null {
  const prototype: object | null = Object.getPrototypeOf(value)
  if (prototype === null || prototype === Object.prototype || !Object.hasOwn(prototype, 'constructor'))
    return prototype
  return homeClass(Reflect.get(prototype, 'constructor'))?.prototype ?? prototype
}

/** The class of this realm in place of one of another; undefined for any other class. */
export function homeClass(constructor: unknown): Function | undefined {
  if (typeof constructor !== 'function') return undefined
  const { name } = constructor
  // The class of all typed arrays has no name of its own in any realm.
  const home: unknown =
    name === 'TypedArray' ? Object.getPrototypeOf(Uint8Array) : Reflect.get(globalThis, name)
  if (typeof home !== 'function' || home === constructor || !isInert(home)) return undefined
  const isOfLanguage =
    Function.prototype.toString.call(constructor) === Function.prototype.toString.call(home)
  return isOfLanguage ? home : undefined
}
