import { describe, expect, test } from 'vitest'
import { MAX_CRASHES, Scheduler } from '../../src/node/run/scheduler.ts'
import type { Outcome, Task } from '../../src/node/run/task.ts'

const GROUP = {}

function makeTask(index: number, more: Partial<Task> = {}): Task {
  return {
    index,
    group: GROUP,
    bytes: 10,
    idempotent: true,
    retriesLeft: 0,
    failures: 0,
    crashes: 0,
    attempt: 0,
    copies: [],
    settled: false,
    ...more
  }
}

function answer(job: number, attempt: number, more: Partial<Outcome> = {}): Outcome {
  return { job, attempt, ok: true, micros: 5_000, body: new Uint8Array(), ...more }
}

/** A scheduler whose effects are recorded, checked after every step. */
function makeScheduler(): {
  scheduler: Scheduler
  sent: { peer: string; jobs: { job: number; attempt: number }[] }[]
  settled: { job: number; ok: boolean; code: string | undefined; peer: string }[]
  cancelled: { peer: string; jobs: readonly number[] }[]
  recalled: { peer: string; count: number }[]
  lost: number[]
} {
  const log = {
    sent: [] as { peer: string; jobs: { job: number; attempt: number }[] }[],
    settled: [] as { job: number; ok: boolean; code: string | undefined; peer: string }[],
    cancelled: [] as { peer: string; jobs: readonly number[] }[],
    recalled: [] as { peer: string; count: number }[],
    lost: [] as number[]
  }
  const scheduler = new Scheduler({
    send: (peer, copies) =>
      log.sent.push({ peer, jobs: copies.map(({ task, attempt }) => ({ job: task.index, attempt })) }),
    settle: (task, { ok, code }, peer) => log.settled.push({ job: task.index, ok, code, peer }),
    cancel: (peer, jobs) => log.cancelled.push({ peer, jobs }),
    recall: (peer, count) => log.recalled.push({ peer, count }),
    lose: (task) => log.lost.push(task.index)
  })
  return { scheduler, ...log }
}

describe('scheduler', () => {
  test('starts with one job per slot and no more', () => {
    const { scheduler, sent } = makeScheduler()
    scheduler.onPeerJoined('alice', 2, 1, 0)
    scheduler.onTasksAdded(
      [0, 1, 2, 3].map((index) => makeTask(index)),
      0
    )
    expect(sent.flatMap(({ jobs }) => jobs.map(({ job }) => job))).toEqual([0, 1])
    expect(sent.every(({ jobs }) => jobs.length === 1)).toBe(true)
    scheduler.check()
  })

  test('keeps peers equally busy', () => {
    const { scheduler, sent } = makeScheduler()
    scheduler.onPeerJoined('alice', 2, 1, 0)
    scheduler.onPeerJoined('bob', 2, 1, 0)
    scheduler.onTasksAdded(
      [0, 1, 2, 3].map((index) => makeTask(index)),
      0
    )
    expect(sent.map(({ peer }) => peer).toSorted()).toEqual(['alice', 'alice', 'bob', 'bob'])
  })

  test('batches jobs that turn out to be short, at most four times as many each time', () => {
    const { scheduler, sent } = makeScheduler()
    scheduler.onPeerJoined('alice', 1, 1, 0)
    scheduler.onTasksAdded(
      Array.from({ length: 500 }, (_, index) => makeTask(index)),
      0
    )
    for (let step = 0; step < 6; step++) {
      const { jobs } = sent.at(-1)!
      scheduler.onOutcomes(
        'alice',
        jobs.map(({ job, attempt }) => answer(job, attempt, { micros: 10 })),
        step
      )
      scheduler.check()
    }
    const sizes = sent.map(({ jobs }) => jobs.length)
    expect(sizes[0]).toBe(1)
    expect(Math.max(...sizes)).toBeGreaterThan(16)
    for (let at = 1; at < sizes.length; at++)
      expect(sizes[at]).toBeLessThanOrEqual(4 * Math.max(...sizes.slice(0, at)))
  })

  test('gives the jobs of a lost peer to another one, with a new attempt number', () => {
    const { scheduler, sent, settled } = makeScheduler()
    scheduler.onPeerJoined('alice', 1, 1, 0)
    scheduler.onTasksAdded([makeTask(0)], 0)
    scheduler.onInputEnded(0)
    scheduler.onPeerLost('alice', 1)
    scheduler.onPeerJoined('bob', 1, 1, 2)
    expect(sent).toEqual([
      { peer: 'alice', jobs: [{ job: 0, attempt: 1 }] },
      { peer: 'bob', jobs: [{ job: 0, attempt: 2 }] }
    ])
    scheduler.onOutcomes('bob', [answer(0, 2)], 3)
    expect(settled).toEqual([{ job: 0, ok: true, code: undefined, peer: 'bob' }])
    expect(scheduler.done).toBe(true)
  })

  test('does not run a job again that may not run twice', () => {
    const { scheduler, sent, lost } = makeScheduler()
    scheduler.onPeerJoined('alice', 1, 1, 0)
    scheduler.onPeerJoined('bob', 1, 1, 0)
    scheduler.onTasksAdded([makeTask(0, { idempotent: false })], 0)
    scheduler.onInputEnded(0)
    scheduler.onPeerLost(sent[0]!.peer, 1)
    expect(sent).toHaveLength(1)
    expect(lost).toEqual([0])
    expect(scheduler.done).toBe(true)
  })

  test('drops answers for attempts that are not the peer’s own', () => {
    const { scheduler, settled } = makeScheduler()
    scheduler.onPeerJoined('alice', 1, 1, 0)
    scheduler.onPeerJoined('mallory', 0, 1, 0)
    scheduler.onTasksAdded([makeTask(0)], 0)
    scheduler.onOutcomes('mallory', [answer(0, 1)], 1)
    scheduler.onOutcomes('alice', [answer(0, 7), answer(99, 1)], 1)
    expect(settled).toEqual([])
    scheduler.onOutcomes('alice', [answer(0, 1), answer(0, 1)], 2)
    expect(settled).toHaveLength(1)
    scheduler.check()
  })

  test('tries a job that threw again as often as asked', () => {
    const { scheduler, sent, settled } = makeScheduler()
    scheduler.onPeerJoined('alice', 1, 1, 0)
    scheduler.onTasksAdded([makeTask(0, { retriesLeft: 1 })], 0)
    scheduler.onOutcomes('alice', [answer(0, 1, { ok: false })], 1)
    scheduler.onTick(200)
    expect(sent.at(-1)).toEqual({ peer: 'alice', jobs: [{ job: 0, attempt: 2 }] })
    scheduler.onOutcomes('alice', [answer(0, 2, { ok: false })], 202)
    expect(settled).toEqual([{ job: 0, ok: false, code: undefined, peer: 'alice' }])
  })

  test('a job that threw rests before it is tried again, longer each time, and others go on meanwhile', () => {
    const { scheduler, sent, settled } = makeScheduler()
    scheduler.onPeerJoined('alice', 1, 1, 0)
    scheduler.onTasksAdded([makeTask(0, { retriesLeft: 9 }), makeTask(1)], 0)
    scheduler.onInputEnded(0)
    const rests: number[] = []
    let nowMs = 0
    for (let attempt = 1; attempt <= 9; attempt++) {
      const threwMs = nowMs
      scheduler.onOutcomes('alice', [answer(0, attempt, { ok: false })], nowMs)
      scheduler.check()
      if (attempt === 1) {
        expect(sent.at(-1)?.jobs).toEqual([{ job: 1, attempt: 1 }])
        scheduler.onOutcomes('alice', [answer(1, 1)], nowMs)
        expect(scheduler.done).toBe(false)
      }
      const before = sent.length
      while (sent.length === before) scheduler.onTick((nowMs += 25))
      expect(sent.at(-1)?.jobs).toEqual([{ job: 0, attempt: attempt + 1 }])
      rests.push(nowMs - threwMs)
    }
    expect(rests).toEqual([75, 150, 300, 600, 1_200, 2_400, 4_800, 7_500, 7_500])
    scheduler.onOutcomes('alice', [answer(0, 10)], nowMs)
    expect(settled.map(({ job, ok }) => [job, ok])).toEqual([
      [1, true],
      [0, true]
    ])
    expect(scheduler.done).toBe(true)
  })

  test('a run in which everything throws takes no more from the input than may rest', () => {
    const { scheduler, sent } = makeScheduler()
    scheduler.onPeerJoined('alice', 1, 1, 0)
    let next = 0
    for (let step = 0; step < 1_000 && scheduler.wanted() > 0; step++) {
      const tasks = Array.from({ length: scheduler.wanted() }, () => makeTask(next++, { retriesLeft: 1 }))
      scheduler.onTasksAdded(tasks, 0)
      const answers = sent
        .splice(0)
        .flatMap(({ jobs }) => jobs.map(({ job, attempt }) => answer(job, attempt, { ok: false, micros: 1 })))
      scheduler.onOutcomes('alice', answers, 0)
    }
    expect(scheduler.wanted()).toBe(0)
    expect(next).toBeLessThan(16_384)
    expect(scheduler.abandon()).toHaveLength(next)
  })

  test(`gives a job up that ended its worker ${MAX_CRASHES} times`, () => {
    const { scheduler, settled } = makeScheduler()
    scheduler.onPeerJoined('alice', 1, 1, 0)
    scheduler.onTasksAdded([makeTask(0)], 0)
    for (let attempt = 1; attempt <= MAX_CRASHES; attempt++) {
      expect(settled).toEqual([])
      scheduler.onOutcomes('alice', [answer(0, attempt, { ok: false, code: 'JOB_CRASHED' })], attempt)
    }
    expect(settled).toEqual([{ job: 0, ok: false, code: 'JOB_CRASHED', peer: 'alice' }])
  })

  test('copies a straggler to an idle peer; the first answer wins and the other is cancelled', () => {
    const { scheduler, sent, settled, cancelled } = makeScheduler()
    scheduler.onPeerJoined('slow', 1, 1, 0)
    scheduler.onTasksAdded([makeTask(0)], 0)
    scheduler.onInputEnded(0)
    scheduler.onPeerJoined('quick', 1, 1, 1)
    scheduler.onTick(100)
    expect(sent).toHaveLength(1)
    scheduler.onOutcomes('quick', [], 100)
    scheduler.onTasksAdded([makeTask(1)], 100)
    scheduler.onOutcomes('quick', [answer(1, 1)], 105)
    scheduler.onTick(10_000)
    expect(sent.at(-1)).toEqual({ peer: 'quick', jobs: [{ job: 0, attempt: 2 }] })
    scheduler.check()
    scheduler.onOutcomes('quick', [answer(0, 2)], 10_005)
    expect(settled.filter(({ job }) => job === 0)).toEqual([
      { job: 0, ok: true, code: undefined, peer: 'quick' }
    ])
    expect(cancelled).toEqual([{ peer: 'slow', jobs: [0] }])
    scheduler.onOutcomes('slow', [answer(0, 1)], 10_006)
    expect(settled.filter(({ job }) => job === 0)).toHaveLength(1)
  })

  test('asks a peer with a queue to give jobs back for one that is idle', () => {
    const { scheduler, sent, recalled } = makeScheduler()
    scheduler.onPeerJoined('alice', 1, 1, 0)
    scheduler.onTasksAdded([makeTask(0)], 0)
    scheduler.onOutcomes('alice', [answer(0, 1)], 5)
    scheduler.onTasksAdded([makeTask(1), makeTask(2)], 5)
    scheduler.onInputEnded(5)
    scheduler.onPeerJoined('bob', 1, 1, 6)
    expect(recalled).toEqual([{ peer: 'alice', count: 1 }])
    scheduler.onRecalled('alice', [{ job: 2, attempt: 1 }], 7)
    expect(sent.at(-1)).toEqual({ peer: 'bob', jobs: [{ job: 2, attempt: 2 }] })
    scheduler.check()
  })

  test('at the end a slow peer gets no job that the others will have done before it', () => {
    const { scheduler, sent } = makeScheduler()
    scheduler.onPeerJoined('quick', 1, 1, 0)
    scheduler.onPeerJoined('slow', 1, 1, 0)
    scheduler.onTasksAdded([makeTask(0), makeTask(1)], 0)
    scheduler.onOutcomes('quick', [answer(0, 1, { micros: 200_000 })], 200)
    scheduler.onOutcomes('slow', [answer(1, 1, { micros: 2_000_000 })], 2_000)
    scheduler.onInputEnded(2_000)
    const count = sent.length
    scheduler.onTasksAdded([makeTask(2), makeTask(3)], 2_000)
    expect(sent.slice(count)).toEqual([{ peer: 'quick', jobs: [{ job: 2, attempt: 1 }] }])
    scheduler.onOutcomes('quick', [answer(2, 1, { micros: 200_000 })], 2_200)
    expect(sent.at(-1)).toEqual({ peer: 'quick', jobs: [{ job: 3, attempt: 1 }] })
    scheduler.onPeerLost('quick', 2_300)
    expect(sent.at(-1)).toEqual({ peer: 'slow', jobs: [{ job: 3, attempt: 2 }] })
    scheduler.check()
  })

  test('wants no more tasks than the peers have room for', () => {
    const { scheduler } = makeScheduler()
    expect(scheduler.wanted()).toBeLessThanOrEqual(1)
    scheduler.onPeerJoined('alice', 4, 1, 0)
    expect(scheduler.wanted()).toBeGreaterThanOrEqual(4)
    expect(scheduler.wanted()).toBeLessThanOrEqual(8)
    scheduler.onInputEnded(0)
    expect(scheduler.wanted()).toBe(0)
  })
})
