import type { JobsMessage } from '../../protocol/messages.ts'
import type { Attempt } from '../../worker/job-queue.ts'
import type { WorkerProcess } from '../../worker/process.ts'

/** Batches one worker process has: the one that runs and, ahead of time, the next. */
const MAX_BATCHES = 2

/** What an executor needs of a worker process. */
export type Worker = Pick<
  WorkerProcess,
  'addBlob' | 'cancel' | 'hasBlob' | 'kill' | 'open' | 'recall' | 'run'
>

/**
 * A worker process bound to a run, and the batches it has. It runs batches and their jobs strictly in order, so how
 * many answers came says which jobs are left.
 */
export class HostedWorker {
  readonly process: Worker
  readonly batches: JobsMessage[] = []
  /** Jobs nobody wants any more that are in the process already, behind the one that runs. */
  readonly #unwanted = new Set<number>()
  /** Answers that came for the first of the batches. */
  #answered = 0

  constructor(process: Worker) {
    this.process = process
  }

  get busy(): boolean {
    return this.batches.length > 0
  }

  /** It has a batch that runs and, ahead of time, the next. */
  get isFull(): boolean {
    return this.batches.length >= MAX_BATCHES
  }

  get unanswered(): number {
    return this.batches.reduce((sum, { jobs }) => sum + jobs.length, -this.#answered)
  }

  onAnswers(count: number): void {
    this.#answered += count
    for (
      let first = this.batches[0];
      first !== undefined && this.#answered >= first.jobs.length;
      first = this.batches[0]
    ) {
      this.#answered -= first.jobs.length
      this.batches.shift()
    }
  }

  /** Takes back up to `count` jobs that have not reached the process: of those the last, in their order. */
  recall(count: number): JobsMessage[] {
    const recalled: JobsMessage[] = []
    // By their number, not by their names: a peer may give two jobs one name.
    let left = this.process.recall(count).length
    if (left === 0) return recalled
    for (let last = this.batches.pop(); last !== undefined; last = this.batches.pop()) {
      const keep = Math.max(0, last.jobs.length - left)
      left -= last.jobs.length - keep
      if (keep < last.jobs.length) recalled.unshift({ ...last, jobs: last.jobs.slice(keep) })
      if (keep === 0) continue
      this.batches.push({ ...last, jobs: last.jobs.slice(0, keep) })
      break
    }
    // What is left of the first batch may all be answered.
    this.onAnswers(0)
    return recalled
  }

  /** Takes jobs back, those that have not reached the process; of the others it is noted that nobody wants them. */
  drop(jobs: ReadonlySet<number>): void {
    this.#forget(this.process.cancel(jobs))
    for (const { jobs: own } of this.batches) {
      for (const { job } of own) if (jobs.has(job)) this.#unwanted.add(job)
    }
  }

  /** What it does now is for nobody. */
  get runsUnwanted(): boolean {
    if (this.#unwanted.size === 0) return false
    const running = this.batches[0]?.jobs[this.#answered]
    return running !== undefined && this.#unwanted.has(running.job)
  }

  isUnwanted(job: number): boolean {
    return this.#unwanted.has(job)
  }

  #forget(taken: readonly Attempt[]): void {
    if (taken.length === 0) return
    const jobs = new Set(taken.map(({ job }) => job))
    const batches = this.batches
      .splice(0)
      .map((batch) => ({ ...batch, jobs: batch.jobs.filter(({ job }) => !jobs.has(job)) }))
    this.batches.push(...batches.filter((batch) => batch.jobs.length > 0))
    this.onAnswers(0)
  }

  /** The batches with just the jobs that are not answered. */
  unfinished(): JobsMessage[] {
    return this.batches.map((batch, at) =>
      at === 0 ? { ...batch, jobs: batch.jobs.slice(this.#answered) } : batch
    )
  }
}
