/** Runs with a journal, on this machine's own slots. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import {
  cacheInfo,
  clearCache,
  createDistNode,
  type DistNode,
  job,
  type JobLike,
  type JobResult
} from '../../src/index.ts'
import type { Run } from '../../src/index.ts'

let dir: string
let node: DistNode
const warnings: string[] = []

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'dist-node-journaled-'))
  node = await createDistNode({ dir, slots: 2 })
  node.on('warning', (message) => warnings.push(message))
})

afterAll(async () => {
  await node.stop()
  rmSync(dir, { recursive: true, force: true })
})

afterEach(() => {
  for (const { id } of node.journal.runs()) node.journal.remove(id)
  clearCache(dir)
  warnings.length = 0
})

/** Takes so many results, then leaves. */
async function take<T>(run: Run<T>, count = Infinity): Promise<JobResult<T>[]> {
  const results: JobResult<T>[] = []
  for await (const result of run) {
    results.push(result)
    if (results.length === count) break
  }
  return results.toSorted((a, b) => a.index - b.index)
}

const fromJournal = (results: readonly JobResult[]): number =>
  results.filter(({ from }) => from === 'journal').length

/** Both tell one process from another: a result that is the same again was not calculated again. */
const stamp = (label: unknown): JobLike => job((each: unknown) => [each, process.hrtime.bigint()], [label])

const newest = (): string => node.journal.runs()[0]!.id

class Point {
  readonly x: number

  constructor(x: number) {
    this.x = x
  }

  get twice(): number {
    return this.x * 2
  }
}

class OddError extends Error {
  override readonly name = 'OddError'
  readonly number: number

  constructor(number: number) {
    super(`${number} is odd`)
    this.number = number
  }
}

describe('a run that goes on', () => {
  test('runs only what is not finished, and hands over every result once', async () => {
    const jobs = Array.from({ length: 60 }, (_, n) => stamp(n))
    const run = node.run(jobs, { journal: { file: 'jobs.ts', args: ['a'] }, label: 'stamps' })
    const first = await take(run, 25)
    const [before] = node.journal.runs()
    expect(before).toMatchObject({ id: run.id, state: 'cancelled', label: 'stamps', args: ['a'], failed: 0 })
    expect(before!.succeeded).toBeGreaterThanOrEqual(25)
    const resumed = node.resume(run.id.slice(0, 12), jobs)
    const all = await take(resumed)
    expect(all.map(({ index }) => index)).toEqual(jobs.map((_, at) => at))
    expect(fromJournal(all)).toBe(before!.succeeded)
    for (const { index, value, node: name } of first) {
      expect(all[index]).toMatchObject({ value, node: name, from: 'journal' })
    }
    expect(resumed.progress).toMatchObject({ succeeded: 60, remembered: before!.succeeded })
    expect(node.journal.runs()).toMatchObject([{ state: 'finished', succeeded: 60, total: 60 }])
    const again = [...node.journal.results(run.id, { ordered: true })]
    expect(again.map(({ value }) => value)).toEqual(all.map(({ value }) => value))
  })

  test('a new process of another text recognises its jobs: moved, inserted, removed, changed', async () => {
    const values = ['a', 'b', 'c', 'd', 'e', 'f']
    const first = await take(node.run(values.map(stamp), { journal: true }))
    const next = ['new', 'f', 'a', 'c', 'b', 'changed', 'e']
    const second = await take(node.resume(newest(), next.map(stamp)))
    const known = new Map(first.map(({ value }) => value as [string, bigint]))
    for (const { value, from } of second) {
      const [label, time] = value as [string, bigint]
      expect(from).toBe(known.has(label) ? 'journal' : undefined)
      if (known.has(label)) expect(time).toBe(known.get(label))
    }
    expect(
      [...node.journal.results(newest(), { ordered: true })].map(({ value }) => (value as string[])[0])
    ).toEqual(next)
    // What was taken out is not forgotten: it comes back.
    const third = await take(node.resume(newest(), values.map(stamp)))
    expect(fromJournal(third)).toBe(6)
    expect(third.map(({ value }) => value)).toEqual(first.map(({ value }) => value))
  })

  test('changed code, captured values and setup make other jobs', async () => {
    const run = async (jobs: JobLike[], setup?: () => void): Promise<number> =>
      fromJournal(
        await take(
          node.journal.runs().length === 0
            ? node.run(jobs, { journal: true, ...(setup && { setup }) })
            : node.resume(newest(), jobs, { ...(setup && { setup }) })
        )
      )
    const add = (more: number) => (): number => 40 + more
    expect(await run([add(1), add(2), () => 7])).toBe(0)
    expect(await run([add(1), add(2), () => 7])).toBe(3)
    expect(await run([add(1), add(3), () => 8])).toBe(1)
    expect(await run([add(1), add(3), () => 8], () => void Object.assign(globalThis, { x: 1 }))).toBe(0)
  })

  test('equal jobs are counted', async () => {
    const jobs = (count: number): JobLike[] => Array.from({ length: count }, () => stamp('same'))
    await take(node.run(jobs(10), { journal: true }))
    const all = await take(node.resume(newest(), jobs(16)))
    expect(fromJournal(all)).toBe(10)
    expect(new Set(all.map(({ value }) => (value as bigint[])[1])).size).toBe(16)
    const fewer = await take(node.resume(newest(), [stamp('first'), ...jobs(5)]))
    expect(fromJournal(fewer)).toBe(5)
    expect(new Set(fewer.map(({ value }) => (value as bigint[])[1])).size).toBe(6)
  })

  test('failed jobs are handed over again, or run again if asked for', async () => {
    const jobs = Array.from({ length: 8 }, (_, n) => () => {
      if (n % 2 === 1) throw new OddError(n)
      return n
    })
    await take(node.run(jobs, { journal: true }))
    const again = await take(node.resume(newest(), jobs))
    expect(fromJournal(again)).toBe(8)
    expect(again[3]).toMatchObject({ status: 'error', from: 'journal' })
    const { error } = again[3] as { error: unknown } & JobResult
    expect(error).toBeInstanceOf(OddError)
    expect(error).toMatchObject({ number: 3, message: '3 is odd' })
    const retried = await take(node.resume(newest(), jobs, { retryFailed: true }))
    expect(fromJournal(retried)).toBe(4)
    expect(node.journal.runs()).toMatchObject([{ succeeded: 4, failed: 4 }])
  })

  test('instances, functions and symbols of results are those of the program', async () => {
    const mark = Symbol('mark')
    const double = (n: number): number => new Point(n).twice
    const jobs = [
      () => new Point(4),
      () => ({ [mark]: mark, Point }),
      () => double,
      job((point: Point) => [point, point], [new Point(6)])
    ]
    await take(node.run(jobs, { journal: true }))
    const results = await take(node.resume(newest(), jobs))
    expect(fromJournal(results)).toBe(4)
    const [point, marked, doubled, pair] = results.map(({ value }) => value) as [
      Point,
      object,
      (n: number) => number,
      Point[]
    ]
    expect(point).toBeInstanceOf(Point)
    expect(point.twice).toBe(8)
    expect(marked).toEqual({ [mark]: mark, Point })
    expect(doubled(5)).toBe(10)
    expect(pair[0]).toBe(pair[1])
    expect(pair[0]!.twice).toBe(12)
    const stored = [...node.journal.results(newest(), { ordered: true })]
    expect(stored[0]!.value).toEqual({ x: 4 })
    expect(stored[2]!.value as () => void).toThrow('only in the program that made the run')
  })

  test('a job that may not run twice and had begun is lost, unless one insists', async () => {
    const controller = new AbortController()
    const jobs = [
      () => 'quick',
      job(() => new Promise(() => {}), [], { idempotent: false }),
      job(() => 'second', [], { idempotent: false })
    ]
    const run = node.run(jobs, { journal: true, signal: controller.signal })
    const iterator = run[Symbol.asyncIterator]()
    await iterator.next()
    await iterator.next()
    controller.abort()
    await expect(iterator.next()).rejects.toThrow()
    expect(node.journal.runs()).toMatchObject([{ state: 'interrupted', succeeded: 2 }])
    const [quick, lost, second] = await take(node.resume(run.id, jobs))
    expect(quick).toMatchObject({ value: 'quick', from: 'journal' })
    expect(second).toMatchObject({ value: 'second', from: 'journal' })
    expect(lost).toMatchObject({ status: 'error', error: { code: 'JOB_LOST' }, from: 'journal' })
    const answers: JobLike[] = [
      jobs[0]!,
      job(() => new Promise(() => {}), [], { idempotent: false, timeoutMs: 50 }),
      jobs[2]!
    ]
    const retried = await take(node.resume(run.id, answers, { retryFailed: true }))
    expect(retried[1]).toMatchObject({ status: 'error', error: { code: 'JOB_TIMEOUT' } })
  })

  test('a clock that is set back shortens no run', async () => {
    const now = Date.now()
    const run = node.run([stamp(1), stamp(2)], { journal: true })
    for await (const _ of run) vi.spyOn(Date, 'now').mockReturnValue(now - 3_600_000)
    vi.restoreAllMocks()
    const [summary] = node.journal.runs()
    expect(summary).toMatchObject({ state: 'finished' })
    expect(summary!.activeMs).toBeGreaterThanOrEqual(0)
    expect(summary!.activeMs).toBeLessThan(600_000)
  })

  test('known results need nobody to run anything, and an endless input is read as it is asked for', async () => {
    const jobs = Array.from({ length: 1_200 }, (_, n) => job((each: number) => each, [n]))
    await take(node.run(jobs, { journal: true }))
    const id = newest()
    await using alone = await createDistNode({ dir, slots: 0 })
    const all = await take(alone.resume(id, jobs, { waitMs: 0, ordered: true }))
    expect(all.map(({ value }) => value)).toEqual(jobs.map((_, at) => at))
    function* endless(): Generator<JobLike<number>> {
      for (let n = 0; ; n++) yield job((each: number) => each, [n])
    }
    expect(await take(node.resume(id, endless()), 1_300)).toHaveLength(1_300)
  })

  test('is refused when there is none, when it is under way, and when its file is no journal', async () => {
    expect(() => node.resume('ffff', [])).toThrow(expect.objectContaining({ code: 'JOURNAL_UNKNOWN_RUN' }))
    const run = node.run([stamp(1), () => new Promise(() => {})], { journal: true })
    const iterator = run[Symbol.asyncIterator]()
    await iterator.next()
    await expect.poll(() => node.journal.runs()).toHaveLength(1)
    await expect(take(node.resume(run.id, [stamp(1)]))).rejects.toMatchObject({ code: 'JOURNAL_IN_USE' })
    expect(node.journal.run(run.id)).toMatchObject({ state: 'running' })
    await iterator.return()
    writeFileSync(join(dir, 'runs', `${run.id}.sqlite`), 'no journal at all')
    expect(node.journal.run(run.id)).toMatchObject({ state: 'damaged' })
    await expect(take(node.resume(run.id, [stamp(1)]))).rejects.toMatchObject({ code: 'JOURNAL_DAMAGED' })
  })
})

test.skipIf(process.getuid?.() === 0)(
  'a folder that cannot be written costs the journal, not the run',
  async () => {
    chmodSync(join(dir, 'runs'), 0o500)
    expect(await take(node.run([() => 1], { journal: true }))).toMatchObject([{ value: 1 }])
    chmodSync(join(dir, 'runs'), 0o700)
    expect(warnings.join()).toMatch(/not journaled/)
  }
)

test('where the folder should be is a file: the run goes on with a warning', async () => {
  const other = mkdtempSync(join(tmpdir(), 'dist-node-unwritable-'))
  writeFileSync(join(other, 'runs'), '')
  await using unlucky = await createDistNode({ dir: other, slots: 1 })
  const said: string[] = []
  unlucky.on('warning', (message) => said.push(message))
  expect(await take(unlucky.run([() => 1, () => 2], { journal: true }))).toMatchObject([
    { value: 1 },
    { value: 2 }
  ])
  expect(said).toEqual([expect.stringMatching(/^this run is not journaled any more: .*runs/)])
  rmSync(other, { recursive: true })
})

describe('the cache', () => {
  const pure = (label: string): JobLike =>
    job((each: string) => [each, process.hrtime.bigint()], [label], { pure: true })

  test('has the results of pure jobs for later runs, and of no others', async () => {
    const first = await take(node.run([pure('a'), pure('b'), stamp('c')], { cache: true }))
    const second = await take(node.run([pure('b'), stamp('c'), pure('a'), pure('d')], { cache: true }))
    expect(second.map(({ from }) => from)).toEqual(['cache', undefined, 'cache', undefined])
    expect(second[0]!.value).toEqual(first[1]!.value)
    expect(second[2]!.value).toEqual(first[0]!.value)
    const without = await take(node.run([pure('a')]))
    expect(without[0]).not.toHaveProperty('from')
    expect(cacheInfo(dir)).toMatchObject({ entries: 3 })
    clearCache(dir)
    expect(cacheInfo(dir)).toMatchObject({ entries: 0, bytes: 0 })
  })

  test('keeps no errors, takes a whole run as pure, and fills the journal too', async () => {
    const jobs = [
      () => new Point(3),
      () => {
        throw new OddError(1)
      }
    ]
    await take(node.run(jobs, { cache: true, pure: true }))
    const run = node.run(jobs, { cache: true, pure: true, journal: true })
    const [point, failed] = await take(run)
    expect(point).toMatchObject({ from: 'cache', value: { x: 3 } })
    expect(point!.value).toBeInstanceOf(Point)
    expect(failed).not.toHaveProperty('from')
    expect([...node.journal.results(run.id)]).toHaveLength(2)
  })

  test('begins anew when its file is damaged', async () => {
    await take(node.run([pure('a')], { cache: true }))
    writeFileSync(
      join(dir, 'cache.sqlite'),
      'no cache at all, but long enough to be looked at as if it were one'
    )
    expect(await take(node.run([pure('a')], { cache: true }))).toMatchObject([{ status: 'ok' }])
    expect(await take(node.run([pure('a')], { cache: true }))).toMatchObject([{ from: 'cache' }])
  })
})
