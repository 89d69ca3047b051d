/**
 * The executing half of a node: takes runs of any submitter it is linked to, shares its slots among them, and feeds
 * worker processes. It moves bodies as bytes; what is in them it never looks at.
 */
import type { BlobMessage, JobsMessage, Message, RunOpenMessage } from '../protocol/messages.ts'
import type { ExitReason } from '../worker/exit-reason.ts'
import { chooseAssignment } from './fair-share.ts'
import { HostedRun, HostedWorker, type Worker } from './hosted-run.ts'
import type { Link } from './link.ts'
import type { Outcome } from './task.ts'

/** What jobs and blobs of one submitter may wait here; beyond it its messages are not read any more. */
const MAX_QUEUED_BYTES = 64 * 1024 * 1024

/** Runs of one submitter open at once: far more than honest use, small enough to bound memory. */
const MAX_OPEN_RUNS = 64

/** Workers of a run that may end in a row without having run anything. */
const MAX_START_FAILURES = 3

/** A change of how busy this node is reaches the others within this time, many changes as one. */
const TELL_AFTER_MS = 250

/** What a job costs an executor besides the time in its function, for the account of its run. */
const ACCOUNT_OVERHEAD_MICROS = 10

interface ExecutorParts {
  /** A pristine worker process, warm if there is one. */
  readonly takeWorker: () => Worker
  readonly onRunStarted?: (run: HostedRun) => void
  readonly onRunEnded?: (run: HostedRun) => void
}

export class Executor {
  readonly #parts: ExecutorParts
  readonly #slots: number
  readonly #runs = new Map<Link, Map<number, HostedRun>>()
  #draining = false
  #toldBusy = 0
  #tell: NodeJS.Timeout | undefined
  #idle: PromiseWithResolvers<void> | undefined
  #reads: PromiseWithResolvers<void> | undefined

  constructor(parts: ExecutorParts, slots: number) {
    this.#parts = parts
    this.#slots = slots
  }

  get slots(): number {
    return this.#slots
  }

  get busy(): number {
    let busy = 0
    for (const run of this.#allRuns()) busy += run.busyWorkers
    return busy
  }

  addLink(link: Link): void {
    this.#runs.set(link, new Map())
    this.#grant(link)
  }

  /** The submitter is gone: its workers are killed, its slots are free. */
  removeLink(link: Link): void {
    for (const run of this.#runs.get(link)?.values() ?? []) this.#end(run)
    this.#runs.delete(link)
    this.#assign()
  }

  /** A promise only when the submitter has to be held back. */
  onMessage(link: Link, message: Message): Promise<void> | undefined {
    switch (message.type) {
      case 'run-open':
        this.#onRunOpen(link, message)
        break
      case 'blob':
        this.#onBlob(link, message)
        break
      case 'jobs':
        this.#onJobs(link, message)
        break
      case 'cancel':
        this.#onCancel(link, message.run, message.jobs)
        break
      case 'recall':
        this.#onRecall(link, message.run, message.count)
        break
      case 'run-close':
        this.#onRunClose(link, message.run)
        break
      default:
    }
    return this.#roomFor(link)
  }

  /** Takes no more jobs, gives back those that wait, and resolves when those that run have ended. */
  async drain(): Promise<void> {
    this.#draining = true
    for (const link of this.#runs.keys()) this.#grant(link)
    for (const run of this.#allRuns()) this.#giveBack(run, Infinity)
    if (this.busy === 0) return
    this.#idle = Promise.withResolvers()
    await this.#idle.promise
  }

  /** Kills every worker. */
  async stop(): Promise<void> {
    this.#draining = true
    const kills = [...this.#allRuns()].flatMap((run) =>
      [...run.workers].map((worker) => worker.process.kill())
    )
    this.#runs.clear()
    clearTimeout(this.#tell)
    this.#reads?.resolve()
    await Promise.all(kills)
  }

  #onRunOpen(link: Link, message: RunOpenMessage): void {
    const runs = this.#runs.get(link)
    if (runs === undefined || runs.has(message.run) || runs.size >= MAX_OPEN_RUNS) return
    const others = [...this.#allRuns()].filter((run) => run.queue.length > 0 || run.busyWorkers > 0)
    const level = others.length === 0 ? 0 : Math.min(...others.map((run) => run.usedMicros))
    const run = new HostedRun(link, message, level)
    runs.set(message.run, run)
    this.#parts.onRunStarted?.(run)
  }

  #onBlob(link: Link, { run, hash, bytes }: BlobMessage): void {
    this.#runs.get(link)?.get(run)?.addBlob(hash, bytes)
  }

  #onJobs(link: Link, batch: JobsMessage): void {
    const run = this.#runs.get(link)?.get(batch.run)
    if (run === undefined) return
    const refusal = run.refusal(batch)
    if (refusal !== undefined) return failJobs(run, batch.jobs, 'JOB_REFUSED', refusal)
    run.enqueue(batch)
    if (this.#draining) this.#giveBack(run, Infinity)
    else this.#assign()
  }

  /** A job in a process can be stopped only by ending the process; its batch mates start again in another. */
  #onCancel(link: Link, number: number, jobs: readonly number[]): void {
    const run = this.#runs.get(link)?.get(number)
    if (run === undefined) return
    const unwanted = new Set(jobs.length > 0 ? jobs : run.jobNumbers())
    run.drop(unwanted)
    for (const worker of run.workers) {
      worker.drop(unwanted)
      const unfinished = worker.unfinished()
      if (!unfinished.some((batch) => batch.jobs.some(({ job }) => unwanted.has(job)))) continue
      run.workers.delete(worker)
      void worker.process.kill()
      run.requeue(unfinished, unwanted)
    }
    this.#assign()
  }

  #onRecall(link: Link, number: number, count: number): void {
    const run = this.#runs.get(link)?.get(number)
    if (run !== undefined) this.#giveBack(run, count)
  }

  #onRunClose(link: Link, number: number): void {
    const runs = this.#runs.get(link)
    const run = runs?.get(number)
    if (run === undefined) return
    runs?.delete(number)
    this.#end(run)
    this.#assign()
  }

  #giveBack(run: HostedRun, count: number): void {
    const jobs = run.takeBack(count)
    if (jobs.length === 0 && count === Infinity) return
    const given = jobs.map(({ job, attempt }) => ({ job, attempt }))
    run.link.send({ type: 'recalled', run: run.number, jobs: given })
    this.#checkRoom()
  }

  /** Gives slots to runs until none is free or nothing waits. */
  #assign(): void {
    for (;;) {
      const contenders = [...this.#allRuns()].filter((run) => run.queue.length > 0)
      const next = chooseAssignment(contenders, this.#slots - this.busy)
      if (next === undefined) break
      const worker = this.#workerFor(next.kind, next.run)
      const batch = next.run.dequeue()
      if (batch !== undefined) this.#give(next.run, worker, batch)
    }
    this.#checkRoom()
    if (this.busy === 0) this.#idle?.resolve()
    if (this.busy !== this.#toldBusy) this.#tell ??= setTimeout(() => this.#tellAll(), TELL_AFTER_MS).unref()
  }

  #workerFor(kind: 'idle-worker' | 'new-worker' | 'prefetch', run: HostedRun): HostedWorker {
    if (kind === 'idle-worker') return run.idleWorker()!
    if (kind === 'prefetch') return run.prefetchWorker()!
    const process = this.#parts.takeWorker()
    const worker = new HostedWorker(process)
    run.workers.add(worker)
    for (const hash of run.setup?.blobs ?? []) process.addBlob(hash, run.blobs.get(hash) ?? new Uint8Array())
    process.open(run.setup === undefined ? {} : { setup: { body: run.setup.body } }, {
      results: (results) => this.#onResults(run, worker, results),
      log: (job, stream, text) => run.link.send({ type: 'log', run: run.number, job, stream, text }),
      exit: (exit) => this.#onWorkerExit(run, worker, exit)
    })
    return worker
  }

  #give(run: HostedRun, worker: HostedWorker, batch: JobsMessage): void {
    for (const hash of batch.blobs) {
      if (!worker.process.hasBlob(hash)) worker.process.addBlob(hash, run.blobs.get(hash)!)
    }
    worker.batches.push(batch)
    const { timeoutMs, head, jobs } = batch
    worker.process.run({ timeoutMs, ...(head === undefined ? {} : { head }), jobs: [...jobs] })
  }

  #onResults(run: HostedRun, worker: HostedWorker, results: readonly Outcome[]): void {
    for (const result of results) run.usedMicros += result.micros + ACCOUNT_OVERHEAD_MICROS
    run.startFailures = 0
    worker.onAnswers(results.length)
    run.outbox.add(results, worker.busy)
    this.#assign()
  }

  /**
   * A worker died on its own: the job that ran is to blame, the others get another worker. Workers that die again and
   * again with no job running are nobody's fault; then all they had fails, so that it is tried elsewhere.
   */
  #onWorkerExit(run: HostedRun, worker: HostedWorker, exit: ExitReason): void {
    if (!run.workers.delete(worker)) return
    run.startFailures = exit.running === undefined ? run.startFailures + 1 : 0
    const hopeless = run.startFailures >= MAX_START_FAILURES
    const failed = hopeless
      ? worker.unfinished().flatMap(({ jobs }) => jobs)
      : exit.running === undefined
        ? []
        : [exit.running]
    if (failed.length > 0)
      failJobs(run, failed, exit.code.startsWith('JOB_') ? exit.code : 'JOB_CRASHED', exit.message)
    run.requeue(worker.unfinished(), new Set(failed.map(({ job }) => job)))
    this.#assign()
  }

  #end(run: HostedRun): void {
    for (const worker of run.workers) void worker.process.kill()
    run.workers.clear()
    run.outbox.discard()
    run.queue.length = 0
    run.queuedBytes = 0
    this.#parts.onRunEnded?.(run)
  }

  /** Everybody's list of peers shows how busy this node is. */
  #tellAll(): void {
    this.#tell = undefined
    this.#toldBusy = this.busy
    for (const link of this.#runs.keys()) this.#grant(link)
  }

  #grant(link: Link): void {
    link.send({
      type: 'credit',
      slots: this.#draining ? 0 : this.#slots,
      busy: this.busy,
      total: this.#slots
    })
  }

  #roomFor(link: Link): Promise<void> | undefined {
    if (this.#queuedBytes(link) <= MAX_QUEUED_BYTES) return undefined
    this.#reads ??= Promise.withResolvers()
    return this.#reads.promise.then(() => this.#roomFor(link))
  }

  #checkRoom(): void {
    this.#reads?.resolve()
    this.#reads = undefined
  }

  #queuedBytes(link: Link): number {
    let bytes = 0
    for (const run of this.#runs.get(link)?.values() ?? []) bytes += run.queuedBytes
    return bytes
  }

  *#allRuns(): Generator<HostedRun> {
    for (const runs of this.#runs.values()) yield* runs.values()
  }
}

function failJobs(
  run: HostedRun,
  jobs: readonly { job: number; attempt: number }[],
  code: string,
  message: string
): void {
  const body = new TextEncoder().encode(message)
  const results = jobs.map(({ job, attempt }) => ({ job, attempt, ok: false, code, micros: 0, body }))
  run.outbox.add(results, false)
}
