/** The library, alone on this machine: real worker processes, no network. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDistNode, type DistNode, job, type JobError } from '../../src/index.ts'

let folder: string
let node: DistNode
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dist-node-library-'))
  node = await createDistNode({ slots: 2, dir: folder })
})
afterAll(async () => {
  await node.stop()
  await rm(folder, { recursive: true })
})

describe('the library', () => {
  test('map gives values in input order, or results as they come', async () => {
    const factor = 3
    expect(await node.map((n: number) => n * factor, [1, 2, 3]).all()).toEqual([3, 6, 9])
    const seen = new Map<number, number>()
    for await (const result of node.map((n: number) => n * factor, [1, 2, 3]))
      seen.set(result.index, result.value)
    expect(seen).toEqual(new Map([[0, 3], [1, 6], [2, 9]])) // prettier-ignore
  })

  test('calls are answered one by one and side by side, and one that throws does not disturb the others', async () => {
    const divide = (a: number, b: number): number => {
      if (b === 0) throw new RangeError('division by zero')
      return a / b
    }
    expect(await node.call(divide, 84, 2)).toBe(42)
    const answers = await Promise.allSettled([
      node.call(divide, 6, 2),
      node.call(divide, 1, 0),
      node.call(divide, 9, 3)
    ])
    expect(answers[0]).toMatchObject({ value: 3 })
    expect(answers[1]).toMatchObject({ reason: { name: 'RangeError', message: 'division by zero' } })
    expect(answers[2]).toMatchObject({ value: 3 })
  })

  test('a call that cannot travel is refused, and those beside it are answered', async () => {
    const promise = Promise.resolve(1)
    const [good, bad] = await Promise.allSettled([node.call(() => 'fine'), node.call(() => promise)])
    expect(good).toMatchObject({ value: 'fine' })
    expect(bad).toMatchObject({ reason: { name: 'PrintError', code: 'UNPRINTABLE' } })
  })

  test('a call of a job has its options, and ends with its signal', async () => {
    const spin = (ms: number): string => {
      const end = performance.now() + ms
      while (performance.now() < end);
      return 'done'
    }
    expect(await node.call(job(spin, [1]), { signal: AbortSignal.timeout(60_000) })).toBe('done')
    await expect(node.call(job(spin, [60_000], { timeoutMs: 50 }))).rejects.toMatchObject({
      code: 'JOB_TIMEOUT'
    })
    const aborting = new AbortController()
    const call = node.call(job(spin, [60_000]), { signal: aborting.signal })
    aborting.abort(new Error('enough'))
    await expect(call).rejects.toThrow('enough')
    await expect(node.everywhere(job(spin, [60_000]), { signal: aborting.signal })).rejects.toThrow('enough')
  })

  test('reading the value of a job that failed throws its error', async () => {
    const run = node.run([
      () => {
        throw new TypeError('no')
      }
    ])
    for await (const result of run) {
      expect(result.status).toBe('error')
      expect(() => result.value).toThrow(TypeError)
    }
    await expect(node.map(() => Promise.reject(new TypeError('no')), [1]).all()).rejects.toThrow(TypeError)
  })

  test('a job that threw is tried again as often as asked', async () => {
    // Worker processes of one run keep what their module-level state became.
    const run = node.run(
      [
        job(() => {
          const tries = ((globalThis as { tries?: number }).tries ??= 0) + 1
          ;(globalThis as { tries?: number }).tries = tries
          if (tries < 2) throw new Error('not yet')
          return tries
        }, [])
      ],
      { retries: 5 }
    )
    for await (const result of run) {
      expect(result.status).toBe('ok')
      expect(result.attempt).toBeGreaterThan(1)
    }
  })

  test('an abort stops running jobs and ends the iteration with its reason', async () => {
    const controller = new AbortController()
    const jobs = [
      () => 'quick',
      () => {
        for (;;);
      }
    ]
    const seen: unknown[] = []
    const iterate = async (): Promise<void> => {
      for await (const { value } of node.run(jobs, { signal: controller.signal })) {
        seen.push(value)
        controller.abort(new Error('enough'))
      }
    }
    await expect(iterate()).rejects.toThrow('enough')
    expect(seen).toEqual(['quick'])
    expect(await node.call(() => 'still there')).toBe('still there')
  })

  test('leaving the loop early ends the run', async () => {
    function* endless(): Generator<() => number> {
      for (let n = 0; ; n++) yield () => n
    }
    let count = 0
    for await (const result of node.run(endless())) {
      expect(result.status).toBe('ok')
      if (++count === 100) break
    }
    expect(count).toBe(100)
  })

  test('the input is read no faster than results are taken', async () => {
    let taken = 0
    function* counted(): Generator<() => number> {
      for (; taken < 1_000_000; taken++) yield () => 1
    }
    let results = 0
    for await (const result of node.run(counted())) {
      expect(result.status).toBe('ok')
      if (++results === 50) break
    }
    expect(taken).toBeLessThan(40_000)
  })

  test('a job’s time limit counts for that job alone', async () => {
    const run = node.run([job(() => { for (;;); }, [], { timeoutMs: 200 }), job(() => 1, [])]) // prettier-ignore
    const results = new Map<number, string>()
    for await (const result of run) {
      results.set(result.index, result.status === 'ok' ? 'ok' : (result.error as JobError).code)
    }
    expect(results).toEqual(new Map([[0, 'JOB_TIMEOUT'], [1, 'ok']])) // prettier-ignore
  })

  test('setup runs once in each worker process before its first job', async () => {
    const setup = (): void => {
      ;(globalThis as { ready?: number }).ready = ((globalThis as { ready?: number }).ready ?? 0) + 1
    }
    const jobs = Array.from({ length: 20 }, () => () => (globalThis as { ready?: number }).ready)
    expect(new Set(await node.run(jobs, { setup }).all())).toEqual(new Set([1]))
  })

  test('a job that ends its process is given up after three, the others are not disturbed', async () => {
    await using small = await createDistNode({ slots: 1, jobMemoryMb: 32, dir: join(folder, 'small') })
    const eat = (): never => {
      const eaten: unknown[] = []
      for (;;) eaten.push(Array.from({ length: 10_000 }, (_, n) => ({ n })))
    }
    const jobs = [eat, ...Array.from({ length: 10 }, (_, n) => () => n)]
    const failures: { code: string; attempt: number }[] = []
    let good = 0
    for await (const result of small.run(jobs)) {
      if (result.status === 'ok') good++
      else failures.push({ code: (result.error as JobError).code, attempt: result.attempt })
    }
    expect(good).toBe(10)
    expect(failures).toEqual([{ code: 'JOB_MEMORY', attempt: 3 }])
  })

  test('console output comes back with the number of its job', async () => {
    const lines: string[] = []
    node.on('log', ({ index, text }) => lines.push(`${index}: ${text.trim()}`))
    await node.run([() => console.log('hello'), () => console.error('from', { n: 2 })]).all()
    expect(lines.toSorted()).toEqual(['0: hello', '1: from { n: 2 }'])
  })

  test('each call takes what its function captured as it is then', async () => {
    let rate = 1
    function twice(n: number): number {
      return 2 * n * rate
    }
    expect(await node.call(twice, 4)).toBe(8)
    rate = 5
    expect(await node.call(twice, 4)).toBe(40)
    rate = 6
    expect(await node.call(job(twice, [4], { timeoutMs: 60_000 }))).toBe(48)
    expect(await node.call(Math.max, 3, 9, 4)).toBe(9)
  })

  test('everywhere answers once per executor', async () => {
    expect(await node.everywhere((n: number) => n + 1, 1)).toMatchObject([
      { status: 'ok', value: 2, node: node.name }
    ])
  })
})
