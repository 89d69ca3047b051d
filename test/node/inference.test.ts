/** The types users see: checked by the compiler, for `npm run typecheck` reads this file too. */
import { describe, expectTypeOf, test } from 'vitest'
import { type DistNode, type Job, job, type JobResult, type JobValue, type Run } from '../../src/index.ts'

declare const node: DistNode
declare const signal: AbortSignal
const length = (text: string): number => text.length
const fetchLength = async (text: string): Promise<number> => text.length

/** What is inside is compiled and never called. */
function compiled(_check: () => unknown): void {}

describe('types come from the user’s function', () => {
  test('map: argument and result', () => {
    compiled(() => {
      expectTypeOf(node.map(length, ['a'])).toEqualTypeOf<Run<number>>()
      expectTypeOf(node.map(fetchLength, ['a'])).toEqualTypeOf<Run<number>>()
      expectTypeOf(node.map((n) => `${n}`, [1, 2])).toEqualTypeOf<Run<string>>()
      expectTypeOf(node.map((n) => n.toFixed(), new Set([1]))).toEqualTypeOf<Run<string>>()
      expectTypeOf(node.map(length, ['a']).all()).toEqualTypeOf<Promise<number[]>>()
      // @ts-expect-error a number is no text
      node.map(length, [1])
      // @ts-expect-error neither is one of several
      node.map(length, ['a', 1])
    })
  })

  test('run: every kind of job, mixed too', () => {
    compiled(() => {
      expectTypeOf(node.run([() => 1, () => 2])).toEqualTypeOf<Run<number>>()
      expectTypeOf(node.run([() => 1, () => 'two'])).toEqualTypeOf<Run<number | string>>()
      expectTypeOf(node.run([job(length, ['a']), () => 'two'])).toEqualTypeOf<Run<number | string>>()
      expectTypeOf(node.run([async () => 1])).toEqualTypeOf<Run<number>>()
      expectTypeOf(node.run(forever())).toEqualTypeOf<Run<boolean>>()
      // @ts-expect-error a job is a function of no arguments
      node.run([length])
    })
  })

  test('results: the status tells value from error', () => {
    compiled(async () => {
      for await (const result of node.map(fetchLength, ['a'])) {
        expectTypeOf(result).toEqualTypeOf<JobResult<number>>()
        expectTypeOf(result.value).toEqualTypeOf<number>()
        if (result.status === 'error') expectTypeOf(result.error).toEqualTypeOf<Error>()
        // @ts-expect-error a job that succeeded has no error
        else void result.error
      }
    })
  })

  test('call, everywhere and job', () => {
    compiled(() => {
      expectTypeOf(node.call(length, 'a')).toEqualTypeOf<Promise<number>>()
      expectTypeOf(node.call(fetchLength, 'a')).toEqualTypeOf<Promise<number>>()
      expectTypeOf(node.call((a, b) => a + b, 1, 2)).toEqualTypeOf<Promise<number>>()
      expectTypeOf(node.everywhere(fetchLength, 'a')).toEqualTypeOf<Promise<JobResult<number>[]>>()
      expectTypeOf(job(length, ['a'])).toEqualTypeOf<Job<number>>()
      expectTypeOf<JobValue<Job<Promise<number>>>>().toEqualTypeOf<number>()
      expectTypeOf(node.call(job(fetchLength, ['a']), { signal })).toEqualTypeOf<Promise<number>>()
      expectTypeOf(node.everywhere(job(length, ['a']))).toEqualTypeOf<Promise<JobResult<number>[]>>()
      // @ts-expect-error an argument too few
      void node.call(length)
      // @ts-expect-error one of the wrong type
      job(length, [1])
    })
  })
})

async function* forever(): AsyncGenerator<() => boolean> {
  for (;;) yield () => true
}
