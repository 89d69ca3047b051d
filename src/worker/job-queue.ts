import { LONG_JOB_MICROS, MAX_SENT_JOBS, SENT_AHEAD_MICROS } from './limits.ts'

export interface Attempt {
  readonly job: number
  readonly attempt: number
}

export interface Batch {
  /** Limit for each job, in milliseconds from its start; 0 for none. */
  readonly timeoutMs: number
  /**
   * Hash of the blob that holds the printed function, when each body is the printed array of its arguments. Absent:
   * each body is a printed function of no arguments.
   */
  readonly head?: string | undefined
  readonly jobs: readonly QueuedJob[]
}

export interface QueuedJob extends Attempt {
  readonly body: Uint8Array
}

/** Jobs of one batch that go to the child in one frame. */
export interface Portion {
  readonly head: string | undefined
  readonly timeoutMs: number
  readonly jobs: readonly QueuedJob[]
}

interface Waiting {
  readonly job: QueuedJob
  readonly batch: Batch
}

export interface SentJob extends Attempt {
  readonly timeoutMs: number
  /** First of its frame: it starts when the frame has been read, not when the job before it ends. */
  readonly first: boolean
}

const SMALL_JOB_MICROS = 60
const FLOW_MICROS = 1_500

/** What the function does not see: reading, printing, the pipe. Keeps the estimate of an empty job above zero. */
const OVERHEAD_MICROS = 3

/**
 * Which jobs of one worker process wait here, which are in its pipe, which runs. Decisions only: no process, no clock.
 *
 * The child runs jobs one after another and reports each before it starts the next, so the first job sent and not
 * reported is the one that runs: the one to blame when the process dies. Few are sent ahead, about 4 ms of work by
 * what the last ones took, because only those that wait here can be recalled.
 */
export class JobQueue {
  #waiting: Waiting[] = []
  #waitingStart = 0
  #sent: SentJob[] = []
  #sentStart = 0
  #estimateMicros: number | undefined

  /** The job that runs, or is next to run, in the child. */
  get running(): SentJob | undefined {
    return this.#sent[this.#sentStart]
  }

  /**
   * The child has small jobs for longer than its results may be left in the pipe: reading them together then delays
   * nothing it does, and saves a wake-up for each.
   */
  get flowing(): boolean {
    const micros = this.#estimateMicros
    if (micros === undefined || micros > SMALL_JOB_MICROS) return false
    return (this.#sent.length - this.#sentStart) * micros > FLOW_MICROS
  }

  add(batch: Batch): void {
    for (const job of batch.jobs) this.#waiting.push({ job, batch })
  }

  /** What to send now: nothing while the child has enough, so that small jobs go in large portions. */
  take(): Portion[] {
    const room = this.#window()
    const ahead = this.#sent.length - this.#sentStart
    if (ahead > room / 2) return []
    const portions: Portion[] = []
    let count = Math.min(room - ahead, this.#waiting.length - this.#waitingStart)
    while (count > 0) {
      const portion = this.#takeOfOneBatch(count)
      portions.push(portion)
      count -= portion.jobs.length
    }
    return portions
  }

  #takeOfOneBatch(atMost: number): Portion {
    const first = this.#waiting[this.#waitingStart]
    if (first === undefined) throw new RangeError('no job waits')
    const jobs: QueuedJob[] = []
    for (let taken = 0; taken < atMost; taken++) {
      const waiting = this.#waiting[this.#waitingStart]
      if (waiting === undefined || waiting.batch !== first.batch) break
      this.#waitingStart++
      jobs.push(waiting.job)
      this.#sent.push({
        job: waiting.job.job,
        attempt: waiting.job.attempt,
        timeoutMs: first.batch.timeoutMs,
        first: taken === 0
      })
    }
    if (this.#waitingStart > 1024 || this.#waitingStart === this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#waitingStart)
      this.#waitingStart = 0
    }
    return { head: first.batch.head, timeoutMs: first.batch.timeoutMs, jobs }
  }

  /** The child reports a result: gives the attempt it belongs to, or nothing when that job is not the one that runs. */
  finish(job: number, micros: number): Attempt | undefined {
    const running = this.running
    if (running === undefined || running.job !== job) return undefined
    this.#sentStart++
    if (this.#sentStart > 1024 || this.#sentStart === this.#sent.length) {
      this.#sent = this.#sent.slice(this.#sentStart)
      this.#sentStart = 0
    }
    const total = micros + OVERHEAD_MICROS
    // Slow jobs are believed at once, quick ones after a few: work stuck behind a long job is the worse mistake.
    const weight = this.#estimateMicros === undefined ? 1 : total > this.#estimateMicros ? 0.5 : 0.2
    this.#estimateMicros = (this.#estimateMicros ?? 0) * (1 - weight) + total * weight
    return running
  }

  /** Gives back up to `count` jobs that were not sent, the last first: those would have run last. */
  recall(count: number): Attempt[] {
    const keep = Math.max(this.#waitingStart, this.#waiting.length - Math.max(0, count))
    const recalled = this.#waiting.splice(keep)
    return recalled.toReversed().map(({ job }) => ({ job: job.job, attempt: job.attempt }))
  }

  /** Takes these jobs back if they were not sent. Gives those taken back. */
  cancel(jobs: ReadonlySet<number>): Attempt[] {
    const live = this.#waiting.slice(this.#waitingStart)
    const cancelled = live.filter(({ job }) => jobs.has(job.job))
    this.#waiting = live.filter(({ job }) => !jobs.has(job.job))
    this.#waitingStart = 0
    return cancelled.map(({ job }) => ({ job: job.job, attempt: job.attempt }))
  }

  /** Every job that has no result, in the order they would have run. */
  unfinished(): Attempt[] {
    const waiting = this.#waiting.slice(this.#waitingStart).map(({ job }) => job)
    return [...this.#sent.slice(this.#sentStart), ...waiting].map(({ job, attempt }) => ({ job, attempt }))
  }

  /** Jobs the child may hold at once: one until the first result tells how long they take. */
  #window(): number {
    if (this.#estimateMicros === undefined) return 1
    const atLeast = this.#estimateMicros < LONG_JOB_MICROS ? 2 : 1
    return Math.max(atLeast, Math.min(MAX_SENT_JOBS, Math.floor(SENT_AHEAD_MICROS / this.#estimateMicros)))
  }
}
