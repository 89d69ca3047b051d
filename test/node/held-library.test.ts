/** Detached runs through the library, on one node: its own holder, real worker processes, no network. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createDistNode, type DistNode, job, type JobResult } from '../../src/index.ts'

let folder: string
let node: DistNode

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dist-node-detach-'))
  node = await createDistNode({ slots: 2, hold: true, dir: folder })
})

afterEach(async () => {
  await node.stop()
  await rm(folder, { recursive: true })
})

const double = (n: number): number => 2 * n

async function collect<T>(results: AsyncIterable<JobResult<T>>): Promise<Map<number, JobResult<T>>> {
  const found = new Map<number, JobResult<T>>()
  for await (const result of results) {
    expect(found.has(result.index)).toBe(false)
    found.set(result.index, result)
  }
  return found
}

test('detach, attach, again, from the node that came after', async () => {
  const jobs = Array.from({ length: 1_000 }, (_, n) => job(double, [n]))
  const { id, jobs: count } = await node.detach(jobs, { label: 'doubles' })
  expect(count).toBe(1_000)
  const run = node.attach<number>(id)
  const results = await collect(run)
  expect([...results.values()].every(({ index, value }) => value === 2 * index)).toBe(true)
  expect(run.progress).toMatchObject({ succeeded: 1_000, failed: 0, total: 1_000 })
  expect(run).toMatchObject({ id, label: 'doubles', holder: node.name, status: { state: 'finished' } })
  await node.stop()
  node = await createDistNode({ slots: 0, hold: true, dir: folder })
  expect((await collect(node.attach(id.slice(0, 8), { ordered: true }))).size).toBe(1_000)
  expect(await node.heldRuns({ waitMs: 50 })).toMatchObject([
    { id, label: 'doubles', state: 'finished', jobs: 1_000, succeeded: 1_000, holder: node.name }
  ])
})

test('setup, time limits, retries and code of its own travel with a detached run', async () => {
  const { id } = await node.detach(
    [
      job(() => (globalThis as { ready?: string }).ready, []),
      job(() => new Promise(() => undefined), [], { timeoutMs: 200 }),
      () => {
        const state = globalThis as { tries?: number }
        state.tries = (state.tries ?? 0) + 1
        if (state.tries < 2) throw new Error('not yet')
        return 'at last'
      }
    ],
    { retries: 5, setup: () => void ((globalThis as { ready?: string }).ready = 'set up') }
  )
  const results = await collect(node.attach(id))
  expect(results.get(0)).toMatchObject({ status: 'ok', value: 'set up' })
  expect(results.get(1)).toMatchObject({ status: 'error', error: { code: 'JOB_TIMEOUT' } })
  expect(results.get(2)).toMatchObject({ status: 'ok', value: 'at last' })
})

test('instances of classes arrive as data, errors as errors, functions as what they are not', async () => {
  class Point {
    readonly x: number
    constructor(x: number) {
      this.x = x
    }
  }
  class Trouble extends RangeError {
    readonly depth = 3
  }
  const { id } = await node.detach([
    () => new Point(4),
    () => {
      throw new Trouble('deep')
    },
    () => ({ inner: new Map([[1, new Point(5)]]) })
  ])
  const results = await collect(node.attach(id))
  expect(results.get(0)!.value).toEqual(expect.objectContaining({ x: 4 }))
  const failure = results.get(1) as unknown as { error: Error & { depth: number } }
  expect(failure.error).toBeInstanceOf(Error)
  expect(failure.error).toMatchObject({ message: 'deep', depth: 3 })
  expect((results.get(2)!.value as { inner: Map<number, Point> }).inner.get(1)!.x).toBe(5)
})

test('leaving the loop ends following, not the run', async () => {
  const { id } = await node.detach(Array.from({ length: 50 }, (_, n) => job(double, [n])))
  for await (const _ of node.attach(id)) break
  expect((await collect(node.attach(id))).size).toBe(50)
})

test('cancel, and a run that has ended stays what it was', async () => {
  const { id } = await node.detach([() => 1, () => new Promise(() => setInterval(() => undefined, 1_000))])
  const run = node.attach(id)[Symbol.asyncIterator]()
  expect(await run.next()).toMatchObject({ value: { index: 0, value: 1 } })
  expect(await node.cancel(id)).toMatchObject({ state: 'cancelled', succeeded: 1 })
  await expect(run.next()).rejects.toMatchObject({ code: 'MESH_RUN_CANCELLED' })
  expect(await node.cancel(id)).toMatchObject({ state: 'cancelled' })
})

test('what cannot be is refused with a reason', async () => {
  const socket = process.stdin
  await expect(node.detach([() => socket.fd])).rejects.toMatchObject({ code: 'UNPRINTABLE' })
  await expect(node.detach([], { ordered: true } as object)).rejects.toThrow(/detach: unknown option ordered/)
  await expect(collect(node.attach('nonsense'))).rejects.toMatchObject({ code: 'USAGE' })
  await expect(collect(node.attach('ab', { waitMs: 50 }))).rejects.toMatchObject({ code: 'MESH_RUN_UNKNOWN' })
  await expect(node.cancel('cd', { waitMs: 50 })).rejects.toMatchObject({ code: 'MESH_RUN_UNKNOWN' })
  const abort = AbortSignal.abort(new RangeError('enough'))
  await expect(collect(node.attach('ab', { signal: abort }))).rejects.toThrow('enough')
  expect(await node.heldRuns({ waitMs: 50 })).toEqual([])
  expect(() => node.attach('ab', { wait: 1 } as object)).toThrow(/attach: unknown option wait/)
  await expect(node.cancel('ab', { ordered: true } as object)).rejects.toThrow(/cancel: unknown option/)
  await expect(node.heldRuns({ waitMs: -1 })).rejects.toThrow(/waitMs: expected milliseconds/)
})

test('who waits for ever waits until the signal', async () => {
  const options = { waitMs: Infinity, signal: AbortSignal.timeout(100) }
  await expect(collect(node.attach('ab', options))).rejects.toMatchObject({ name: 'TimeoutError' })
})

test('a program that follows a run of its own node does not end before the run', async () => {
  const library = new URL('../../dist/index.js', import.meta.url).href
  const program = `
    import { createDistNode } from ${JSON.stringify(library)}
    await using node = await createDistNode({ slots: 1, hold: true, dir: ${JSON.stringify(join(folder, 'own'))} })
    const { id } = await node.detach(Array.from({ length: 100 }, (_, n) => () => n))
    let count = 0
    for await (const { value } of node.attach(id)) count++
    console.log(count)`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program])
  expect(stdout).toBe('100\n')
})

test('when the node is stopped, what waits for it ends with MESH_STOPPED, and so does what is asked later', async () => {
  const { id } = await node.detach([() => new Promise(() => setInterval(() => undefined, 1_000))])
  const running = node.attach(id)[Symbol.asyncIterator]().next()
  const looking = node.cancel('ab', { waitMs: Infinity })
  const stopped = { code: 'MESH_STOPPED' }
  const both = Promise.all([
    expect(running).rejects.toMatchObject(stopped),
    expect(looking).rejects.toMatchObject(stopped)
  ])
  await node.stop()
  await both
  await expect(node.detach([() => 1])).rejects.toMatchObject(stopped)
  await expect(collect(node.attach(id))).rejects.toMatchObject(stopped)
  await expect(node.heldRuns()).rejects.toMatchObject(stopped)
  await expect(node.run([() => 1], { journal: true }).all()).rejects.toMatchObject(stopped)
  await expect(node.call(() => 1)).rejects.toMatchObject(stopped)
})
