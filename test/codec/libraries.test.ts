import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from 'vitest'
import { PrintError } from '../../src/codec/errors.ts'
import { Printer } from '../../src/codec/print/print.ts'
import { Reader } from '../../src/codec/read/read.ts'
import { travel } from './travel.ts'

type Library = Readonly<Record<string, unknown>>
type AnyFunction = (...args: unknown[]) => unknown

// By their files and not by their names: so each function travels by value, with all it captured, and not in a bundle.
const modules = new URL('../../node_modules/', import.meta.url)
const load = async (file: string): Promise<Library> => (await import(new URL(file, modules).href)) as Library

const libraries = {
  'lodash-es': await load('lodash-es/lodash.js'),
  ramda: await load('ramda/es/index.js')
}

/**
 * Arguments for any function, sensible or not: what it makes of them, an error too, has to be the same. New ones each time:
 * some functions change what they are given.
 */
function makeSamples(): unknown[][] {
  const twice = (n: number): number => n * 2
  const isOdd = (n: number): boolean => n % 2 === 1
  return [
    [],
    [[3, 1, 2]],
    [[1, [2, [3, [4]]]], 2],
    ['some Words_here', 3],
    ['a,b', ','],
    [{ a: 1, b: { c: 2 } }, 'b.c'],
    ['b', { a: 1, b: { c: 2 } }],
    [['b', 'c'], { b: { c: 2 } }],
    [[1, 2, 3, 4], twice],
    [twice, [1, 2]],
    [isOdd, [1, 2, 3, 4]],
    [twice, isOdd],
    [5, 3],
    [2, [1, 2, 3], 9],
    [{ a: 1 }, { b: 2 }],
    [new Date(0)],
    [/a/g, 'banana'],
    [null, undefined],
    [NaN, -0]
  ]
}

/** Their answers depend on chance, time or how often they were called, or they go on for ever. */
const CHANGING = new Set(
  'now random uniqueId sample sampleSize shuffle delay defer debounce throttle runInContext mixin noConflict until'.split(
    ' '
  )
)

/** What is refused, and why. Everything else travels. */
const REFUSED: Readonly<Record<string, readonly [count: number, reason: RegExp]>> = {
  'lodash-es': [30, /WeakMap cannot be listed/],
  ramda: [0, /nothing/]
}

describe.each(Object.entries(libraries))('every function of %s', (library, exported) => {
  test('gives the same answers there as here, or is refused with a true reason', async () => {
    const [printer, reader] = [new Printer(), new Reader()]
    const wrong: string[] = []
    const refusals: string[] = []
    let calls = 0
    for (const [name, here] of Object.entries(exported)) {
      if (typeof here !== 'function') continue
      const there = await travel(here as AnyFunction, printer, reader).catch((error: unknown) => {
        if (!(error instanceof PrintError)) throw error
        refusals.push(error.message)
      })
      if (there === undefined || CHANGING.has(name)) continue
      const samplesThere = makeSamples()
      for (const [index, sample] of makeSamples().entries()) {
        calls++
        const one = answer(here as AnyFunction, sample)
        const other = answer(there, samplesThere[index] ?? [])
        if (!isSame(one, other)) wrong.push(`${name} ${index}`)
      }
    }
    const [count, reason] = REFUSED[library] ?? [0, /^$/]
    expect(wrong).toEqual([])
    expect(refusals.filter((message) => !reason.test(message))).toEqual([])
    expect(refusals.length).toBeLessThanOrEqual(count)
    expect(calls).toBeGreaterThan(4_000)
  })
})

/** What a call gives or throws; of a function, what that gives in turn. */
function answer(fn: AnyFunction, args: readonly unknown[]): unknown {
  try {
    const result = fn(...args)
    return typeof result === 'function'
      ? ['a function', result.length, callAgain(result as AnyFunction)]
      : result
  } catch (error) {
    return ['thrown', String(error)]
  }
}

function callAgain(fn: AnyFunction): unknown {
  try {
    const result = fn([1, 2, 3], 'a')
    return typeof result === 'function' ? ['a function', result.length] : result
  } catch (error) {
    return ['thrown', String(error)]
  }
}

/** Instances of a library's own classes are of the class that travelled, and equal in all they hold. */
function isSame(here: unknown, there: unknown): boolean {
  if (isDeepStrictEqual(here, there)) return true
  return (
    typeof here === 'object' && typeof there === 'object' && JSON.stringify(here) === JSON.stringify(there)
  )
}
