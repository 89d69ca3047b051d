import type { JobsMessage, RunOpenMessage } from '../../protocol/messages.ts'
import type { Attempt } from '../../worker/job-queue.ts'
import { tellResultsSent } from '../diagnostics.ts'
import type { HostedWorker } from './hosted-worker.ts'
import type { Link } from '../link.ts'
import { ResultOutbox } from './result-outbox.ts'

/** Blobs of one run, together: units and shared functions are small, what they captured may not be. */
const MAX_BLOB_BYTES = 512 * 1024 * 1024

/** What a blob, a job or a name of a blob takes in memory beside its bytes, about: peers may send millions without any. */
const OVERHEAD_BYTES = 128

/** One run of one submitter as its executor keeps it: blobs, waiting batches, worker processes, time used. */
export class HostedRun {
  readonly link: Link
  readonly number: number
  readonly id: string
  readonly label: string
  readonly setup: RunOpenMessage['setup']
  readonly blobs = new Map<string, Uint8Array>()
  readonly queue: JobsMessage[] = []
  readonly workers = new Set<HostedWorker>()
  readonly outbox: ResultOutbox
  usedMicros: number
  queuedBytes = 0
  /** Workers that ended in a row with no job running. */
  startFailures = 0
  #blobBytes = 0

  constructor(link: Link, message: RunOpenMessage, usedMicros: number) {
    this.link = link
    this.number = message.run
    this.id = message.id
    this.label = message.label
    this.setup = message.setup
    this.usedMicros = usedMicros
    this.outbox = new ResultOutbox((results) => {
      tellResultsSent(this, link, results)
      link.send({ type: 'results', run: message.run, results })
    })
  }

  get hasIdleWorker(): boolean {
    return this.idleWorker() !== undefined
  }

  get hasWorkerForPrefetch(): boolean {
    return this.prefetchWorker() !== undefined
  }

  get busyWorkers(): number {
    let busy = 0
    for (const worker of this.workers) if (worker.busy) busy++
    return busy
  }

  /** Keeps a blob; one too many is dropped, and the jobs that need it will be refused. */
  addBlob(hash: string, bytes: Uint8Array): void {
    const size = bytes.length + OVERHEAD_BYTES
    if (this.blobs.has(hash) || this.#blobBytes + size > MAX_BLOB_BYTES) return
    this.blobs.set(hash, bytes)
    this.#blobBytes += size
  }

  /** Why a batch cannot run here, if it cannot. */
  refusal(batch: JobsMessage): string | undefined {
    const missing = batch.blobs.find((hash) => !this.blobs.has(hash))
    if (missing === undefined) return undefined
    return (
      `refused: the code it needs (blob ${missing.slice(0, 8)}) is not here; ` +
      `functions of one run and what they captured may have ${MAX_BLOB_BYTES >> 20} MiB together`
    )
  }

  enqueue(batch: JobsMessage): void {
    this.queue.push(batch)
    this.queuedBytes += batchBytes(batch)
  }

  /** The next batch that still has jobs. */
  dequeue(): JobsMessage | undefined {
    const batch = this.queue.shift()
    if (batch !== undefined) this.queuedBytes -= batchBytes(batch)
    return batch
  }

  /** Puts jobs that a worker had not begun back in front. */
  requeue(batches: readonly JobsMessage[], isUnwanted: (job: number) => boolean = () => false): void {
    for (const batch of batches.toReversed()) {
      const jobs = batch.jobs.filter(({ job }) => !isUnwanted(job))
      if (jobs.length === 0) continue
      const rest = { ...batch, jobs }
      this.queue.unshift(rest)
      this.queuedBytes += batchBytes(rest)
    }
  }

  idleWorker(): HostedWorker | undefined {
    for (const worker of this.workers) if (!worker.busy) return worker
    return undefined
  }

  prefetchWorker(): HostedWorker | undefined {
    let best: HostedWorker | undefined
    for (const worker of this.workers) {
      if (!worker.busy || worker.isFull) continue
      if (best === undefined || worker.unanswered < best.unanswered) best = worker
    }
    return best
  }

  /** Takes back up to `count` jobs that have not begun, the last ones first. */
  takeBack(count: number): Attempt[] {
    const taken: Attempt[] = []
    while (taken.length < count) {
      const batch = this.queue.pop()
      if (batch === undefined) break
      const keep = Math.max(0, batch.jobs.length - (count - taken.length))
      taken.push(...batch.jobs.slice(keep))
      this.queuedBytes -= batchBytes(batch)
      if (keep > 0) this.enqueue({ ...batch, jobs: batch.jobs.slice(0, keep) })
    }
    for (const worker of this.workers) {
      taken.push(...worker.recall(count - taken.length).flatMap(({ jobs }) => jobs))
    }
    return taken
  }

  /** For a worker with nothing to do: half of the jobs of the busiest one, as far as they have not reached its process. */
  takeOver(): JobsMessage[] {
    let busiest: HostedWorker | undefined
    for (const worker of this.workers) {
      if (busiest === undefined || worker.unanswered > busiest.unanswered) busiest = worker
    }
    return busiest === undefined ? [] : busiest.recall(Math.ceil(busiest.unanswered / 2))
  }

  /** Takes back what workers have not begun, so that their slots are free when they have done what they have. */
  standBack(): void {
    for (const worker of this.workers) this.requeue(worker.recall(Infinity))
  }

  /** Answers jobs that did not run to their end. */
  fail(jobs: readonly Attempt[], code: string, message: string): void {
    const body = new TextEncoder().encode(message)
    const results = jobs.map(({ job, attempt }) => ({ job, attempt, ok: false, code, micros: 0, body }))
    this.outbox.add(results, false)
  }

  /** Removes jobs that nobody wants any more from the queue. */
  drop(unwanted: ReadonlySet<number>): void {
    const queue = this.queue.splice(0)
    this.queuedBytes = 0
    for (const batch of queue) {
      const jobs = batch.jobs.filter(({ job }) => !unwanted.has(job))
      if (jobs.length > 0) this.enqueue({ ...batch, jobs })
    }
  }

  /** Numbers of all jobs that wait or run here. */
  jobNumbers(): number[] {
    const running = [...this.workers].flatMap((worker) => worker.unfinished())
    return [...this.queue, ...running].flatMap(({ jobs }) => jobs.map(({ job }) => job))
  }
}

function batchBytes({ blobs, jobs }: JobsMessage): number {
  let bytes = OVERHEAD_BYTES * (1 + blobs.length + jobs.length)
  for (const { body } of jobs) bytes += body.length
  return bytes
}
