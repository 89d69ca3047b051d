/** The decisions of a holder, without a disk or a link. */
import { expect, test } from 'vitest'
import { HeldIntake } from '../../src/node/held/held-intake.ts'
import {
  KEEP_ENDED_MS,
  MAX_HELD_BODY_BYTES,
  MAX_HELD_BYTES,
  MAX_HELD_JOBS,
  MAX_HELD_RUN_BYTES,
  MAX_HELD_RUNS,
  MAX_SUBMITTER_BYTES,
  MAX_SUBMITTER_RUNS
} from '../../src/node/held/held-limits.ts'
import { HeldOutflow } from '../../src/node/held/held-feed.ts'
import { HeldQuota } from '../../src/node/held/held-quota.ts'
import { inInputOrder } from '../../src/node/run/input-order.ts'
import { NumberSet } from '../../src/node/held/number-set.ts'
import type { BlobMessage, JobsMessage } from '../../src/protocol/messages.ts'

const blob = (name: string, bytes = 10): BlobMessage => ({
  type: 'blob',
  run: 1,
  hash: name.repeat(32),
  bytes: sized(bytes)
})
const jobs = (numbers: readonly number[], more: Partial<JobsMessage> = {}): JobsMessage => ({
  type: 'jobs',
  run: 1,
  timeoutMs: 0,
  blobs: [],
  jobs: numbers.map((job) => ({ job, attempt: 1, body: sized(1) })),
  ...more
})

/** Bytes that only claim to be so many: a gigabyte for each test would be too much. */
function sized(length: number): Uint8Array {
  return Object.defineProperty(new Uint8Array(0), 'length', { value: length })
}

test('a whole run is taken, its jobs in any order', () => {
  const intake = new HeldIntake(5)
  expect(intake.onBlob(blob('aa'))).toBeUndefined()
  expect(intake.onJobs(jobs([2, 0], { head: 'aa'.repeat(32) }))).toBeUndefined()
  expect(intake.onJobs(jobs([1], { blobs: ['aa'.repeat(32)] }))).toBeUndefined()
  expect(intake.onEnd(3, ['aa'.repeat(32)])).toBeUndefined()
  expect(intake).toMatchObject({ jobs: 3 })
  expect(intake.bytes).toBeGreaterThan(18)
})

test('names of functions count, for a peer may list as many as it likes with every job', () => {
  const intake = new HeldIntake(0)
  intake.onBlob(blob('aa', 0))
  const before = intake.bytes
  intake.onJobs(jobs([], { blobs: Array<string>(4_096).fill('aa'.repeat(32)) }))
  expect(intake.bytes - before).toBeGreaterThan(4_096 * 64)
})

test('results of a run that was taken end it when its submitter has too much, not when others fill the disk', () => {
  const quota = new HeldQuota()
  for (const name of ['liar', 'other liar', 'honest']) quota.add(name, name, 0)
  expect(quota.growByResults('liar', MAX_HELD_RUN_BYTES)).toBeUndefined()
  quota.add('more', 'liar', MAX_SUBMITTER_BYTES - MAX_HELD_RUN_BYTES)
  quota.add('yet more', 'other liar', MAX_SUBMITTER_BYTES)
  expect(quota.growByResults('honest', 1_000)).toBeUndefined()
  quota.add('small', 'liar', 0)
  expect(quota.growByResults('small', 1_000)).toMatch(/more than 8 GiB/)
  expect(quota.growByResults('honest', MAX_HELD_RUN_BYTES)).toMatch(/more than 4 GiB/)
})

test.each([
  ['a job twice', (intake: HeldIntake) => intake.onJobs(jobs([0, 0])), /job 0 came twice/],
  [
    'code that did not come',
    (intake: HeldIntake) => intake.onJobs(jobs([0], { blobs: ['bb'.repeat(32)] })),
    /before the code/
  ],
  [
    'a head that did not come',
    (intake: HeldIntake) => intake.onJobs(jobs([0], { head: 'bb'.repeat(32) })),
    /before the code/
  ],
  [
    'a job too many',
    (intake: HeldIntake) => intake.onJobs(jobs([MAX_HELD_JOBS])),
    /more than 1,000,000 jobs/
  ],
  [
    'a hole in the numbers',
    (intake: HeldIntake) => intake.onJobs(jobs([0, 2])) ?? intake.onEnd(2, []),
    /expected jobs 0 to 1, got 2 up to 2/
  ],
  [
    'fewer jobs than announced',
    (intake: HeldIntake) => intake.onJobs(jobs([0])) ?? intake.onEnd(2, []),
    /expected jobs 0 to 1, got 1 up to 0/
  ],
  ['a setup without its code', (intake: HeldIntake) => intake.onEnd(0, ['cc'.repeat(32)]), /setup function/],
  ['a huge function', (intake: HeldIntake) => intake.onBlob(blob('aa', MAX_HELD_BODY_BYTES + 1)), /512 MiB/],
  [
    'too much together',
    (intake: HeldIntake) =>
      Array.from({ length: 9 }, (_, n) => intake.onBlob(blob(`a${n}`, MAX_HELD_BODY_BYTES))).find(Boolean),
    /more than 4 GiB/
  ]
])('%s is refused', (_, act, reason) => {
  expect(act(new HeldIntake(0))).toMatch(reason)
})

test('only so many runs and bytes, of one node and of all; ended ones make room, the oldest first', () => {
  const quota = new HeldQuota()
  for (let n = 0; n < MAX_SUBMITTER_RUNS; n++) quota.add(`a${n}`, 'alice', 1)
  expect(quota.refusal('alice')).toMatch(/holds 64 runs of this node/)
  expect(quota.refusal('bob')).toBeUndefined()
  expect(quota.toForget('alice', 0)).toEqual([])
  quota.end('a7', 1_000)
  quota.end('a3', 2_000)
  expect(quota.toForget('alice', 3_000)).toEqual(['a7'])
  quota.end('a7', undefined)
  expect(quota.toForget('alice', 3_000)).toEqual(['a3'])
  quota.delete('a7')
  expect(quota.refusal('alice')).toBeUndefined()
  for (let n = 0; n < MAX_HELD_RUNS; n++) quota.add(`b${n}`, `node ${n}`, 1)
  expect(quota.refusal('carol')).toMatch(/and takes no more/)
})

test('bytes are counted as they come', () => {
  const quota = new HeldQuota()
  quota.add('a', 'alice', 0)
  expect(quota.grow('a', MAX_HELD_RUN_BYTES)).toBeUndefined()
  expect(quota.grow('a', 1)).toMatch(/more than 4 GiB/)
  quota.delete('a')
  for (const id of ['b', 'c']) quota.add(id, 'alice', MAX_SUBMITTER_BYTES / 2)
  quota.add('d', 'alice', 0)
  expect(quota.grow('d', 1)).toMatch(/of this node have more than 8 GiB/)
  quota.add('e', 'bob', MAX_HELD_BYTES)
  expect(quota.refusal('carol')).toMatch(/more than 16 GiB/)
})

test('an ended run is kept for its time, and no longer', () => {
  const quota = new HeldQuota()
  quota.add('a', 'alice', 1, 5)
  quota.add('b', 'alice', 1, 50)
  expect(quota.toForget('bob', KEEP_ENDED_MS)).toEqual([])
  expect(quota.toForget('bob', KEEP_ENDED_MS + 5)).toEqual(['a'])
})

test('a follower that takes nothing gets one window; a chunk larger than the window travels alone', () => {
  const outflow = new HeldOutflow(10)
  expect(outflow.hasRoom).toBe(true)
  outflow.onSent(3, 1024 * 1024)
  outflow.onSent(2, 1024 * 1024)
  expect([outflow.next, outflow.hasRoom]).toEqual([15, false])
  outflow.onTaken(12)
  expect(outflow.hasRoom).toBe(false)
  outflow.onTaken(13)
  expect(outflow.hasRoom).toBe(true)
  expect(outflow.maySend(100 * 1024 * 1024)).toBe(false)
  outflow.onTaken(99)
  expect(outflow.maySend(100 * 1024 * 1024)).toBe(true)
})

test('a set of numbers', () => {
  const set = new NumberSet()
  expect([set.add(7), set.add(7), set.add(999_999), set.has(7), set.has(8), set.has(5_000_000)]).toEqual([
    true, false, true, true, false, false
  ]) // prettier-ignore
  expect([set.size, set.max]).toEqual([2, 999_999])
})

test('input order: those behind a gap come at the end, and an error after them', async () => {
  async function* results(): AsyncGenerator<{ index: number }> {
    for (const index of [2, 0, 1, 5, 4]) yield { index }
    throw new RangeError('lost')
  }
  const order: number[] = []
  await expect(async () => {
    for await (const { index } of inInputOrder(results())) order.push(index)
  }).rejects.toThrow(RangeError)
  expect(order).toEqual([0, 1, 2, 4, 5])
})
