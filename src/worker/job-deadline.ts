import type { SentJob } from './job-queue.ts'
import { MIN_STARTING_GRACE_MS } from './limits.ts'

/** After the limit has passed, results that lie unread in the pipe get this long to show that the job had ended. */
const LAST_LOOK_MS = 10

/** Longest time a timer can be set to; a longer limit is reached in several. */
const MAX_TIMER_MS = 2 ** 31 - 1

/**
 * Watches the one job that runs in a child. One timer, moved only when it fires: with 200,000 jobs a second none is
 * set and cleared for each.
 */
export class JobDeadline {
  readonly #onTimeout: (target: SentJob, started: boolean) => void
  #target: SentJob | undefined
  #started = false
  #deadline = 0
  #timerAt = 0
  #timer: NodeJS.Timeout | undefined

  constructor(onTimeout: (target: SentJob, started: boolean) => void) {
    this.#onTimeout = onTimeout
  }

  /** Sent to an idle child: it still has to read the job, its units and the setup function. */
  starting(job: SentJob): void {
    this.#started = false
    this.#watch(job, job.timeoutMs + Math.max(MIN_STARTING_GRACE_MS, job.timeoutMs))
  }

  /** Started: now, as far as we know. Never earlier, so that no job is stopped before its limit. */
  started(job: SentJob): void {
    this.#started = true
    this.#watch(job, job.timeoutMs)
  }

  /** Nothing runs, or nothing can be known about it. */
  rest(): void {
    this.#target = undefined
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #watch(job: SentJob, allowedMs: number): void {
    if (job.timeoutMs === 0) {
      if (this.#target !== undefined) this.rest()
      return
    }
    this.#target = job
    this.#deadline = performance.now() + allowedMs
    if (this.#timer !== undefined && this.#timerAt <= this.#deadline) return
    clearTimeout(this.#timer)
    this.#arm(allowedMs, false)
  }

  #arm(afterMs: number, lastLook: boolean): void {
    const delayMs = Math.min(afterMs, MAX_TIMER_MS)
    this.#timerAt = performance.now() + delayMs
    this.#timer = setTimeout(() => this.#check(lastLook), delayMs)
  }

  #check(lastLook: boolean): void {
    const target = this.#target
    this.#timer = undefined
    if (target === undefined) return
    const leftMs = this.#deadline - performance.now()
    if (leftMs > 0) this.#arm(leftMs, false)
    else if (!lastLook) this.#arm(LAST_LOOK_MS, true)
    else this.#onTimeout(target, this.#started)
  }
}
