import type { Job, JobLike } from './job.ts'
import type { Run } from './run.ts'

/** A run of calls ends when none was under way for this long; with it go its worker processes. */
const IDLE_MS = 1_000

type StartRun = (jobs: AsyncIterable<JobLike>) => Run<unknown>

/**
 * Single calls as one run: a run has worker processes of its own, and a process for each call would cost far more than
 * most calls do.
 */
export class Calls {
  readonly #start: StartRun
  #run: CallRun | undefined

  constructor(start: StartRun) {
    this.#start = start
  }

  /** @returns what the job returned; @throws what it threw */
  call(job: Job): Promise<unknown> {
    if (this.#run === undefined || this.#run.ended) this.#run = new CallRun(this.#start)
    return this.#run.call(job)
  }
}

class CallRun {
  readonly #queue: Job[] = []
  /** Calls under way, by the number of their job. */
  readonly #pending = new Map<number, PromiseWithResolvers<unknown>>()
  #count = 0
  #news = Promise.withResolvers<void>()
  #idle: NodeJS.Timeout | undefined
  ended = false

  constructor(start: StartRun) {
    void this.#deliver(start(this.#jobs()))
  }

  call(job: Job): Promise<unknown> {
    clearTimeout(this.#idle)
    const answer = Promise.withResolvers<unknown>()
    this.#pending.set(this.#count++, answer)
    this.#queue.push(job)
    this.#news.resolve()
    return answer.promise
  }

  async *#jobs(): AsyncGenerator<Job> {
    while (!this.ended) {
      const job = this.#queue.shift()
      if (job !== undefined) yield job
      else {
        this.#news = Promise.withResolvers()
        await this.#news.promise
      }
    }
  }

  async #deliver(run: Run<unknown>): Promise<void> {
    try {
      for await (const result of run) {
        const answer = this.#pending.get(result.index)
        this.#pending.delete(result.index)
        if (result.status === 'ok') answer?.resolve(result.value)
        else answer?.reject(result.error)
        if (this.#pending.size === 0) this.#idle = setTimeout(() => this.#end(), IDLE_MS)
      }
    } catch (error) {
      for (const answer of this.#pending.values()) answer.reject(error)
    } finally {
      this.#end()
    }
  }

  #end(): void {
    clearTimeout(this.#idle)
    this.ended = true
    this.#news.resolve()
  }
}
