/** Checks of options: each throws a {@link UsageError} that names the option, what it takes and what came. */
import { UsageError } from './errors.ts'

/** The longest a timer can be: 24 days. */
export const MAX_TIMER_MS = 2 ** 31 - 1

export function refuseUnknown(where: string, options: object, known: readonly string[]): void {
  for (const key of Object.keys(options)) {
    if (!known.includes(key))
      throw new UsageError(`${where}: unknown option ${key}; known are ${known.join(', ')}`)
  }
}

export function expect(name: string, value: unknown, what: string, isIt: boolean): void {
  if (isIt) return
  const got = typeof value === 'string' ? JSON.stringify(value) : String(value)
  throw new UsageError(`${name}: expected ${what}, got ${got}`)
}

export function expectBoolean(name: string, value: unknown): void {
  expect(name, value, 'true or false', typeof value === 'boolean')
}

export function expectTexts(name: string, value: unknown): void {
  const isIt = Array.isArray(value) && value.every((each) => typeof each === 'string')
  expect(name, value, 'an array of texts', isIt)
}

export function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}

export function expectWhole(name: string, value: unknown, min: number, max: number): void {
  const isIt = Number.isInteger(value) && (value as number) >= min && (value as number) <= max
  expect(name, value, `a whole number from ${min} to ${max}`, isIt)
}

/** Time to wait for something; `Infinity` is the longest that a timer can be. */
export function resolveWaitMs(waitMs: number): number {
  if (waitMs >= 0) return Math.min(waitMs, MAX_TIMER_MS)
  throw new UsageError(`waitMs: expected milliseconds, 0 or more, got ${String(waitMs)}`)
}

export function expectText(name: string, value: unknown, maxLength: number): void {
  const isIt = typeof value === 'string' && value !== '' && value.length <= maxLength
  expect(name, value, `a text of 1 to ${maxLength} characters`, isIt)
}

/** An option given as `undefined` means its default, as everywhere in JavaScript. */
export function withoutUndefined<T extends object>(
  options: T
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never
}
