/**
 * The executing half of a node: takes runs of any submitter it is linked to and has their jobs done. It moves bodies
 * as bytes; what is in them it never looks at.
 */
import type { BlobMessage, JobsMessage, Message, RunOpenMessage } from '../../protocol/messages.ts'
import { MAX_LISTED_JOBS } from '../../protocol/limits.ts'
import { Dispatcher } from './dispatcher.ts'
import { HostedRun } from './hosted-run.ts'
import type { Worker } from './hosted-worker.ts'
import type { Link } from '../link.ts'

/** What jobs and blobs of one submitter may wait here; beyond it its messages are not read any more. */
const MAX_QUEUED_BYTES = 64 * 1024 * 1024

/** Runs of one submitter open at once: far more than honest use, small enough to bound memory. */
const MAX_OPEN_RUNS = 64

/** A change of how busy this node is reaches the others within this time, many changes as one. */
const TELL_AFTER_MS = 250

interface ExecutorParts {
  /** A pristine worker process, warm if there is one. */
  readonly takeWorker: () => Worker
  readonly onRunStarted?: (run: HostedRun) => void
  readonly onRunEnded?: (run: HostedRun) => void
}

export class Executor {
  readonly #parts: ExecutorParts
  readonly #slots: number
  readonly #dispatcher: Dispatcher
  readonly #runs = new Map<Link, Map<number, HostedRun>>()
  #draining = false
  #paused = false
  #toldBusy = 0
  #tell: NodeJS.Timeout | undefined
  #idle: PromiseWithResolvers<void> | undefined
  #reads: PromiseWithResolvers<void> | undefined

  constructor(parts: ExecutorParts, slots: number) {
    this.#parts = parts
    this.#slots = slots
    this.#dispatcher = new Dispatcher({
      slots,
      runs: () => this.#allRuns(),
      takeWorker: parts.takeWorker,
      onAssigned: () => this.#onAssigned()
    })
  }

  get slots(): number {
    return this.#slots
  }

  get busy(): number {
    return this.#dispatcher.busy
  }

  addLink(link: Link): void {
    this.#runs.set(link, new Map())
    this.#grant(link)
  }

  /** The submitter is gone: its workers are killed, its slots are free. */
  removeLink(link: Link): void {
    for (const run of this.#runs.get(link)?.values() ?? []) this.#end(run)
    this.#runs.delete(link)
    this.#dispatcher.assign()
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

  /**
   * Takes no more jobs, gives back those that wait, and resolves when those that run have ended.
   *
   * @param timeoutMs longest to wait for them
   */
  async drain(timeoutMs: number): Promise<void> {
    this.#draining = true
    for (const link of this.#runs.keys()) this.#grant(link)
    for (const run of this.#allRuns()) this.#giveBack(run, Infinity)
    if (this.busy === 0) return
    const idle = Promise.withResolvers<void>()
    this.#idle = idle
    const timer = setTimeout(idle.resolve, timeoutMs)
    await idle.promise
    clearTimeout(timer)
  }

  get paused(): boolean {
    return this.#paused
  }

  /** Lends nothing for a while: jobs that wait are given back, those that run go on to their end. */
  pause(): void {
    this.#paused = true
    // First that there is no room, else what is given back would come again.
    for (const link of this.#runs.keys()) this.#grant(link)
    for (const run of this.#allRuns()) this.#giveBack(run, Infinity)
  }

  resume(): void {
    this.#paused = false
    for (const link of this.#runs.keys()) this.#grant(link)
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
    if (run === undefined || batch.jobs.length === 0) return
    const refusal = run.refusal(batch)
    if (refusal !== undefined) return run.fail(batch.jobs, 'JOB_REFUSED', refusal)
    run.enqueue(batch)
    if (this.#draining || this.#paused) this.#giveBack(run, Infinity)
    else this.#dispatcher.assign()
  }

  #onCancel(link: Link, number: number, jobs: readonly number[]): void {
    const run = this.#runs.get(link)?.get(number)
    if (run === undefined) return
    const unwanted = new Set(jobs.length > 0 ? jobs : run.jobNumbers())
    run.drop(unwanted)
    for (const worker of run.workers) worker.drop(unwanted)
    this.#dispatcher.stopUnwanted(run)
    this.#dispatcher.assign()
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
    this.#dispatcher.assign()
  }

  #giveBack(run: HostedRun, count: number): void {
    const jobs = run.takeBack(count)
    if (jobs.length === 0 && count === Infinity) return
    const given = jobs.map(({ job, attempt }) => ({ job, attempt }))
    // Nothing to give back is an answer, too.
    for (let at = 0; at === 0 || at < given.length; at += MAX_LISTED_JOBS) {
      const part = given.slice(at, at + MAX_LISTED_JOBS)
      run.link.send({ type: 'recalled', run: run.number, jobs: part })
    }
    this.#checkRoom()
  }

  #onAssigned(): void {
    this.#checkRoom()
    if (this.busy === 0) this.#idle?.resolve()
    if (this.busy !== this.#toldBusy) this.#tell ??= setTimeout(() => this.#tellAll(), TELL_AFTER_MS).unref()
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
      slots: this.#draining || this.#paused ? 0 : this.#slots,
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
