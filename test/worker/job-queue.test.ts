import { describe, expect, test } from 'vitest'
import { JobQueue } from '../../src/worker/job-queue.ts'
import type { Portion } from '../../src/worker/job-queue.ts'

const body = new Uint8Array(10)

function jobs(first: number, count: number): { job: number; attempt: number; body: Uint8Array }[] {
  return Array.from({ length: count }, (_, index) => ({ job: first + index, attempt: 1, body }))
}

function numbers(portions: Portion[]): number[] {
  return portions.flatMap((portion) => portion.jobs.map(({ job }) => job))
}

describe('what is sent ahead', () => {
  test('one job, until it is known how long they take', () => {
    const queue = new JobQueue()
    queue.add({ timeoutMs: 0, jobs: jobs(0, 10) })
    expect(numbers(queue.take())).toEqual([0])
    expect(queue.take()).toEqual([])
  })

  const cases = [
    { name: 'empty jobs: hundreds', micros: 1, ahead: 1000 },
    { name: 'jobs of 0.1 ms: 4 ms of work', micros: 97, ahead: 40 },
    { name: 'jobs of 5 ms: one besides the one that runs', micros: 5_000, ahead: 2 },
    { name: 'jobs of 50 ms: none', micros: 50_000, ahead: 1 }
  ]
  test.each(cases)('$name', ({ micros, ahead }) => {
    const queue = new JobQueue()
    queue.add({ timeoutMs: 0, jobs: jobs(0, 3000) })
    queue.take()
    queue.finish(0, micros)
    expect(numbers(queue.take())).toHaveLength(ahead)
  })

  test('a long job among short ones is believed at once', () => {
    const queue = new JobQueue()
    queue.add({ timeoutMs: 0, jobs: jobs(0, 100) })
    queue.take()
    queue.finish(0, 800)
    expect(numbers(queue.take())).toEqual([1, 2, 3, 4])
    queue.finish(1, 100_000)
    for (const job of [2, 3, 4]) queue.finish(job, 800)
    expect(numbers(queue.take())).toEqual([5])
  })

  test('refills come in portions, not one by one', () => {
    const queue = new JobQueue()
    queue.add({ timeoutMs: 0, jobs: jobs(0, 3000) })
    queue.take()
    queue.finish(0, 37)
    expect(numbers(queue.take())).toHaveLength(100)
    let refills = 0
    for (let job = 1; job <= 100; job++) {
      queue.finish(job, 37)
      if (queue.take().length > 0) refills++
    }
    expect(refills).toBeLessThanOrEqual(3)
  })

  test('a portion holds jobs of one batch, with its head and limit', () => {
    const queue = new JobQueue()
    queue.add({ timeoutMs: 5, head: 'aa', jobs: jobs(0, 3) })
    queue.add({ timeoutMs: 7, jobs: jobs(3, 2) })
    queue.take()
    queue.finish(0, 1)
    const portions = queue.take()
    expect(portions.map(({ head, timeoutMs, jobs }) => [head, timeoutMs, jobs.length])).toEqual([
      ['aa', 5, 2],
      [undefined, 7, 2]
    ])
    expect(queue.running).toEqual({ job: 1, attempt: 1, timeoutMs: 5, first: true })
  })
})

test('only the job that runs can finish', () => {
  const queue = new JobQueue()
  queue.add({ timeoutMs: 0, jobs: jobs(0, 3) })
  queue.take()
  expect(queue.finish(1, 1)).toBeUndefined()
  expect(queue.finish(0, 1)).toMatchObject({ job: 0 })
  expect(queue.finish(0, 1)).toBeUndefined()
})

test('recall and cancel give back what was not sent', () => {
  const queue = new JobQueue()
  queue.add({ timeoutMs: 0, jobs: jobs(0, 6) })
  queue.take()
  expect(queue.recall(2).map(({ job }) => job)).toEqual([5, 4])
  expect(queue.cancel(new Set([0, 2])).map(({ job }) => job)).toEqual([2])
  expect(queue.unfinished().map(({ job }) => job)).toEqual([0, 1, 3])
  expect(queue.recall(-1)).toEqual([])
  expect(queue.recall(9).map(({ job }) => job)).toEqual([3, 1])
  expect(queue.unfinished()).toHaveLength(1)
})

test('100,000 jobs pass through, each once and in order', () => {
  const queue = new JobQueue()
  for (let batch = 0; batch < 1000; batch++) queue.add({ timeoutMs: 0, jobs: jobs(batch * 100, 100) })
  const done: number[] = []
  for (let sent = numbers(queue.take()); sent.length > 0; sent = numbers(queue.take())) {
    for (const job of sent) done.push(queue.finish(job, 2)?.job ?? -1)
  }
  expect(done).toEqual(Array.from({ length: 100_000 }, (_, index) => index))
  expect(queue.unfinished()).toEqual([])
})
