import { describe, expect, test } from 'vitest'
import { Executor } from '../../src/node/executor/executor.ts'
import type { Worker } from '../../src/node/executor/hosted-worker.ts'
import type { Link } from '../../src/node/link.ts'
import type { Message } from '../../src/protocol/messages.ts'
import type { Attempt, Batch } from '../../src/worker/job-queue.ts'
import type { WorkerListener } from '../../src/worker/process.ts'

/** A submitter's end: keeps what the executor says. */
class FakeLink implements Link {
  readonly peer: string
  readonly name: string
  queuedBytes = 0
  readonly received: Message[] = []
  readonly read = Promise.withResolvers<void>()

  constructor(name: string) {
    this.peer = `id-of-${name}`
    this.name = name
  }

  send(message: Message): void {
    this.received.push(message)
  }

  drained(): Promise<void> {
    return this.queuedBytes === 0 ? Promise.resolve() : this.read.promise
  }

  /** Answers in the order they came: job, and what became of it. */
  get answers(): { job: number; attempt: number; ok: boolean; code?: string }[] {
    return this.received.flatMap((message) =>
      message.type === 'results'
        ? message.results.map(({ job, attempt, ok, code }) => ({
            job,
            attempt,
            ok,
            ...(code === undefined ? {} : { code })
          }))
        : []
    )
  }

  get recalled(): number[] {
    return this.received.flatMap((message) =>
      message.type === 'recalled' ? message.jobs.map(({ job }) => job) : []
    )
  }
}

/** A worker process that finishes a job when the test says so. */
class FakeWorker implements Worker {
  readonly jobs: Attempt[] = []
  readonly blobs = new Set<string>()
  killed = false
  /** Jobs that are in the process, the one that runs among them. */
  sentAhead = 1
  #listener!: WorkerListener

  addBlob(hash: string): void {
    this.blobs.add(hash)
  }

  hasBlob(hash: string): boolean {
    return this.blobs.has(hash)
  }

  open(_run: object, listener: WorkerListener): void {
    this.#listener = listener
  }

  run(batch: Batch): void {
    this.jobs.push(...batch.jobs)
  }

  /** All but the job that runs, and one behind it if the test says so, can be taken back. */
  recall(count: number): Attempt[] {
    const free = Math.max(0, Math.min(count, this.jobs.length - this.sentAhead))
    return free === 0 ? [] : this.jobs.splice(-free)
  }

  cancel(unwanted: ReadonlySet<number>): Attempt[] {
    const taken = this.jobs.slice(this.sentAhead).filter(({ job }) => unwanted.has(job))
    for (const attempt of taken) this.jobs.splice(this.jobs.indexOf(attempt), 1)
    return taken
  }

  async kill(): Promise<void> {
    this.killed = true
  }

  finish(micros = 1_000): void {
    const { job, attempt } = this.jobs.shift()!
    this.#listener.results([{ job, attempt, ok: true, micros, body: new Uint8Array() }])
  }

  crash(message = 'exit code 1'): void {
    const [running, ...unfinished] = this.jobs.splice(0)
    const blame = running === undefined ? {} : { running }
    this.#listener.exit({ kind: 'crashed', code: 'JOB_CRASHED', message, ...blame, unfinished })
  }
}

const ascending = (a: number, b: number): number => a - b

function makeExecutor(slots: number): { executor: Executor; workers: FakeWorker[] } {
  const workers: FakeWorker[] = []
  const takeWorker = (): Worker => {
    workers.push(new FakeWorker())
    return workers.at(-1)!
  }
  return { executor: new Executor({ takeWorker }, slots), workers }
}

function openRun(executor: Executor, name: string): FakeLink {
  const link = new FakeLink(name)
  executor.addLink(link)
  void executor.onMessage(link, { type: 'run-open', run: 1, id: '00'.repeat(16), label: name })
  return link
}

function give(executor: Executor, link: Link, ...jobs: number[]): void {
  const items = jobs.map((job) => ({ job, attempt: 1, body: new Uint8Array(10) }))
  void executor.onMessage(link, { type: 'jobs', run: 1, timeoutMs: 0, blobs: [], jobs: items })
}

describe('executor', () => {
  test('runs no more at once than it has slots, and sends answers as they come', () => {
    const { executor, workers } = makeExecutor(2)
    const link = openRun(executor, 'alice')
    for (const job of [0, 1, 2]) give(executor, link, job)
    expect(workers).toHaveLength(2)
    expect(executor.busy).toBe(2)
    workers[1]!.finish()
    expect(link.answers).toEqual([{ job: 1, attempt: 1, ok: true }])
    while (executor.busy > 0) workers.find(({ jobs }) => jobs.length > 0)!.finish()
    expect(link.answers.map(({ job }) => job).toSorted(ascending)).toEqual([0, 1, 2])
  })

  test('shares slots by time used: ten short jobs are not starved by a thousand long ones', () => {
    const { executor, workers } = makeExecutor(1)
    const greedy = openRun(executor, 'greedy')
    for (let job = 0; job < 1000; job++) give(executor, greedy, job)
    const modest = openRun(executor, 'modest')
    for (let job = 0; job < 10; job++) give(executor, modest, job)
    // Two of the greedy run's jobs are in its worker already; from then on the runs take turns.
    for (let step = 0; step < 24; step++) workers.find(({ jobs }) => jobs.length > 0)!.finish()
    expect(modest.answers).toHaveLength(10)
  })

  test('a worker that idles takes over half of what one beside it has not begun', () => {
    const { executor, workers } = makeExecutor(2)
    const link = openRun(executor, 'alice')
    give(executor, link, 0)
    give(executor, link, 1, 2, 3, 4, 5)
    expect(workers.map(({ jobs }) => jobs.map(({ job }) => job))).toEqual([[0], [1, 2, 3, 4, 5]])
    workers[0]!.finish()
    expect(workers.map(({ jobs }) => jobs.map(({ job }) => job))).toEqual([
      [3, 4, 5],
      [1, 2]
    ])
    while (executor.busy > 0) workers.find(({ jobs }) => jobs.length > 0)!.finish()
    expect(link.answers.map(({ job }) => job).toSorted(ascending)).toEqual([0, 1, 2, 3, 4, 5])
  })

  test('two jobs of one name are two jobs: what is taken over is counted', () => {
    const { executor, workers } = makeExecutor(2)
    const link = openRun(executor, 'mallory')
    give(executor, link, 0)
    give(executor, link, 7, 7, 7, 7)
    workers[0]!.finish()
    expect(workers.map(({ jobs }) => jobs.length)).toEqual([2, 2])
    expect(executor.busy).toBe(2)
    for (let left = 4; left > 0; left--) {
      expect(executor.busy).toBe(workers.filter(({ jobs }) => jobs.length > 0).length)
      workers.find(({ jobs }) => jobs.length > 0)!.finish()
    }
    expect(executor.busy).toBe(0)
  })

  test('a run that comes to a busy executor waits for what runs there, not for what was sent ahead', () => {
    const { executor, workers } = makeExecutor(1)
    const greedy = openRun(executor, 'greedy')
    give(executor, greedy, 0, 1, 2, 3)
    give(executor, greedy, 4, 5, 6, 7)
    const modest = openRun(executor, 'modest')
    give(executor, modest, 0)
    workers[0]!.finish()
    expect(workers[1]!.jobs.map(({ job }) => job)).toEqual([0])
    workers[1]!.finish()
    while (executor.busy > 0) workers.find(({ jobs }) => jobs.length > 0)!.finish()
    expect(greedy.answers.map(({ job }) => job)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  })

  test('blames a crash on the job that ran; its batch mates run in another worker', () => {
    const { executor, workers } = makeExecutor(1)
    const link = openRun(executor, 'alice')
    give(executor, link, 0, 1, 2)
    workers[0]!.finish()
    workers[0]!.crash('signal SIGSEGV')
    expect(link.answers).toEqual([
      { job: 0, attempt: 1, ok: true },
      { job: 1, attempt: 1, ok: false, code: 'JOB_CRASHED' }
    ])
    expect(workers[1]!.jobs.map(({ job }) => job)).toEqual([2])
  })

  test('workers that end before they ran anything are tried three times, then the jobs go back', () => {
    const { executor, workers } = makeExecutor(1)
    const link = openRun(executor, 'alice')
    give(executor, link, 0)
    for (let attempt = 0; attempt < 3; attempt++) {
      workers.at(-1)!.jobs.length = 0
      workers.at(-1)!.crash('no memory')
    }
    expect(workers).toHaveLength(3)
    expect(link.answers).toEqual([{ job: 0, attempt: 1, ok: false, code: 'JOB_CRASHED' }])
  })

  test('gives back jobs that have not begun, the last ones first', () => {
    const { executor } = makeExecutor(1)
    const link = openRun(executor, 'alice')
    for (let job = 0; job < 6; job++) give(executor, link, job)
    void executor.onMessage(link, { type: 'recall', run: 1, count: 2 })
    expect(link.recalled).toEqual([5, 4])
    void executor.onMessage(link, { type: 'recall', run: 1, count: 100 })
    expect(link.recalled.toSorted(ascending)).toEqual([1, 2, 3, 4, 5])
  })

  test('a cancelled job ends its worker, one that waits does not', () => {
    const { executor, workers } = makeExecutor(1)
    const link = openRun(executor, 'alice')
    give(executor, link, 0, 1, 2)
    void executor.onMessage(link, { type: 'cancel', run: 1, jobs: [1] })
    expect(workers[0]!.killed).toBe(false)
    void executor.onMessage(link, { type: 'cancel', run: 1, jobs: [0] })
    expect(workers[0]!.killed).toBe(true)
    expect(workers[1]!.jobs.map(({ job }) => job)).toEqual([2])
  })

  test('a job is not disturbed because nobody wants one behind it any more', () => {
    const { executor, workers } = makeExecutor(1)
    const link = openRun(executor, 'alice')
    give(executor, link, 0)
    workers[0]!.sentAhead = 2
    give(executor, link, 1, 2)
    void executor.onMessage(link, { type: 'cancel', run: 1, jobs: [1] })
    expect(workers[0]!.killed).toBe(false)
    workers[0]!.finish()
    expect(workers[0]!.killed).toBe(true)
    expect(workers[1]!.jobs.map(({ job }) => job)).toEqual([2])
    workers[1]!.finish()
    expect(link.answers.map(({ job }) => job)).toEqual([0, 2])
    expect(executor.busy).toBe(0)
  })

  test('the workers of a submitter that is gone are killed, and others go on', () => {
    const { executor, workers } = makeExecutor(1)
    const gone = openRun(executor, 'gone')
    const stays = openRun(executor, 'stays')
    give(executor, gone, 0)
    give(executor, stays, 0)
    executor.removeLink(gone)
    expect(workers[0]!.killed).toBe(true)
    workers[1]!.finish()
    expect(stays.answers).toHaveLength(1)
  })

  test('refuses jobs whose code was not sent', () => {
    const { executor } = makeExecutor(1)
    const link = openRun(executor, 'alice')
    const jobs = [{ job: 0, attempt: 1, body: new Uint8Array() }]
    void executor.onMessage(link, { type: 'jobs', run: 1, timeoutMs: 0, blobs: ['ab'.repeat(32)], jobs })
    expect(link.answers).toEqual([{ job: 0, attempt: 1, ok: false, code: 'JOB_REFUSED' }])
  })

  test('a submitter that does not read its results gets no more jobs started, those of others are', async () => {
    const { executor, workers } = makeExecutor(2)
    const link = openRun(executor, 'alice')
    give(executor, link, 0, 1, 2, 3)
    link.queuedBytes = 100 * 1024 * 1024
    workers[0]!.finish()
    // What is in the process already goes on.
    while (workers[0]!.jobs.length > 0) workers[0]!.finish()
    expect(executor.busy).toBe(0)
    expect(link.answers.length).toBeLessThan(4)
    give(executor, openRun(executor, 'bob'), 0)
    expect(executor.busy).toBe(1)
    link.queuedBytes = 0
    link.read.resolve()
    await new Promise((resolve) => setTimeout(resolve, 5))
    while (executor.busy > 0) workers.find(({ jobs }) => jobs.length > 0)!.finish()
    expect(link.answers.map(({ job }) => job).toSorted(ascending)).toEqual([0, 1, 2, 3])
  })

  test('millions of jobs without arguments, or of names of blobs, hold their submitter back as well', () => {
    const jobs = Array.from({ length: 16_384 }, (_, job) => ({ job, attempt: 1, body: new Uint8Array(0) }))
    const hash = '0f'.repeat(32)
    const names = { blobs: Array<string>(4_096).fill(hash), jobs: jobs.slice(0, 1) }
    for (const flood of [{ blobs: [], jobs }, names]) {
      const { executor } = makeExecutor(1)
      const link = openRun(executor, 'flooder')
      void executor.onMessage(link, { type: 'blob', run: 1, hash, bytes: new Uint8Array(0) })
      const answers = Array.from({ length: 200 }, () =>
        executor.onMessage(link, { type: 'jobs', run: 1, timeoutMs: 0, ...flood })
      )
      expect(answers.at(-1)).toBeInstanceOf(Promise)
    }
  })

  test('a batch without jobs occupies nobody', () => {
    const { executor, workers } = makeExecutor(1)
    const link = openRun(executor, 'alice')
    give(executor, link)
    expect(executor.busy).toBe(0)
    give(executor, link, 0)
    workers[0]!.finish()
    expect(executor.busy).toBe(0)
  })

  test('gives back any number of jobs, in lists of a length that peers take', () => {
    const { executor } = makeExecutor(1)
    const link = openRun(executor, 'alice')
    for (let first = 0; first < 40_000; first += 10_000) {
      give(executor, link, ...Array.from({ length: 10_000 }, (_, at) => first + at))
    }
    void executor.onMessage(link, { type: 'recall', run: 1, count: 50_000 })
    expect(link.recalled.length).toBeGreaterThan(32_768)
    const lists = link.received.filter((message) => message.type === 'recalled')
    expect(Math.max(...lists.map(({ jobs }) => jobs.length))).toBe(32_768)
  })

  test('holds back a submitter that sends more than it can keep, until there is room', async () => {
    const { executor, workers } = makeExecutor(1)
    const link = openRun(executor, 'alice')
    const send = (job: number): Promise<void> | undefined =>
      executor.onMessage(link, {
        type: 'jobs',
        run: 1,
        timeoutMs: 0,
        blobs: [],
        jobs: [{ job, attempt: 1, body: new Uint8Array(24 * 1024 * 1024) }]
      })
    const held = [0, 1, 2, 3, 4, 5].map((job) => send(job)).findLast((promise) => promise !== undefined)
    expect(held).toBeInstanceOf(Promise)
    while (executor.busy > 0) workers.find(({ jobs }) => jobs.length > 0)!.finish()
    await held
  })

  test('leaving: takes nothing more, gives back what waits, lets what runs end', async () => {
    const { executor, workers } = makeExecutor(1)
    const link = openRun(executor, 'alice')
    for (let job = 0; job < 3; job++) give(executor, link, job)
    const drained = executor.drain(10_000)
    expect(link.received.findLast(({ type }) => type === 'credit')).toMatchObject({ slots: 0 })
    expect(link.recalled.toSorted(ascending)).toEqual([1, 2])
    give(executor, link, 9)
    expect(link.recalled).toContain(9)
    workers[0]!.finish()
    await drained
    expect(link.answers).toHaveLength(1)
  })
})
