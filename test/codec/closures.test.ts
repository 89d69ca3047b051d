import { describe, expect, test } from 'vitest'
import { PrintError } from '../../src/codec/errors.ts'
import { Printer } from '../../src/codec/print/print.ts'
import { travel } from './travel.ts'

type Job = (...args: unknown[]) => unknown

interface Suite {
  readonly cases: Readonly<Record<string, Job>>
  readonly refused: Readonly<Record<string, readonly [value: unknown, reason: string]>>
}

const load = async (file: string): Promise<Suite> =>
  (await import(new URL(`../fixtures/closures/${file}`, import.meta.url).href)) as Suite

const suites = {
  functions: await load('functions.mjs'),
  classes: await load('classes.mjs'),
  'CommonJS and sloppy mode': await load('sloppy.cjs'),
  'shared variables': await load('shared.mjs')
}

/** Functions of every syntax, after the test suites of other closure serializers: none may give another answer there. */
describe.each(Object.entries(suites))('%s', (_name, { cases, refused }) => {
  test.each(Object.entries(cases))('%s', async (_title, here) => {
    // Printed first: a call may change what was captured.
    const there = await travel(here)
    expect([there.name, there.length]).toEqual([here.name, here.length])
    const answer = await there()
    expect(describeAnswer(answer)).toEqual(describeAnswer(await here()))
  })

  test.each(Object.entries(refused))('refused: %s', async (_title, [value, reason]) => {
    const outcome = await Promise.resolve()
      .then(() => new Printer().print(value, 'job 0'))
      .catch((error: unknown) => error)
    expect(outcome).toBeInstanceOf(PrintError)
    expect((outcome as PrintError).message).toContain(reason)
  })
})

/** Functions in an answer are compared by what they give. */
function describeAnswer(answer: unknown): unknown {
  return typeof answer === 'function' ? ['a function that gives', (answer as Job)()] : answer
}
