import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { RunReport } from '../../src/cli/run-report.ts'
import type { JobResult } from '../../src/index.ts'

const result = (index: number, node: string, ms: number, more: object = {}): JobResult =>
  Object.assign({ index, node, ms, peer: node, attempt: 1, status: 'ok' as const, value: index }, more)

const lines = (results: readonly JobResult[], wallMs: number): string[] => {
  const report = new RunReport()
  for (const one of results) report.add(one)
  return report.lines(wallMs).map(stripVTControlCharacters)
}

test('jobs, failures, computing, speed-up, repeated attempts, shares and the slowest', () => {
  const results = [
    ...Array.from({ length: 8 }, (_, n) => result(n, n < 6 ? 'attic' : 'cellar', 100 + n)),
    result(8, 'cellar', 400, { attempt: 3 }),
    result(9, 'desk', 50, { status: 'error', error: new Error('no') })
  ]
  expect(lines(results, 500)).toEqual([
    '9 done, 1 failed in 500 ms',
    '  1.28 s of computing, speed-up 2.6, 2 sent again',
    '  attic   6 jobs  60 %   615 ms',
    '  cellar  3 jobs  30 %   613 ms',
    '  desk    1 job   10 %  50.0 ms',
    '  slowest: job 8 400 ms (cellar), job 7 107 ms (cellar), job 6 106 ms (cellar)'
  ])
})

test('one job, and none, take one line', () => {
  expect(lines([result(0, 'attic', 3)], 12)).toEqual(['1 done in 12.0 ms on attic'])
  expect(lines([], 12)).toEqual(['0 done in 12.0 ms'])
})

test('many nodes are added up', () => {
  const told = lines(
    Array.from({ length: 40 }, (_, n) => result(n, `n${n}`, 100 - n)),
    500
  )
  expect(told).toHaveLength(2 + 12 + 1 + 1)
  expect(told.at(-2)).toMatch(/^ {2}28 more +28 jobs +70 %/)
})

test('the results pass through', async () => {
  const report = new RunReport()
  const passed: number[] = []
  async function* some(): AsyncGenerator<JobResult> {
    yield result(0, 'a', 1)
    yield result(1, 'a', 1)
  }
  for await (const { index } of report.watch(some())) passed.push(index)
  expect(passed).toEqual([0, 1])
  expect(report.jobs).toBe(2)
})
