import type { Outcome } from '../run/task.ts'

/** Results that come faster than this travel together: a message for each would cost more than the jobs. */
const TOGETHER_MS = 2

/** So do those of longer jobs that come as fast as this, and no faster than the jobs themselves take. */
const LONG_JOBS_TOGETHER_MS = 5

/** Results in one message; more gain nothing more. */
const ENOUGH_RESULTS = 512

/**
 * Results of one run on their way back to its submitter: one that comes alone leaves at once, those that come in quick
 * succession leave together, two milliseconds after the first at the latest; five, where jobs take as long themselves.
 */
export class ResultOutbox {
  readonly #send: (results: readonly Outcome[]) => void
  #waiting: Outcome[] = []
  #sentMs = -Infinity
  #timer: NodeJS.Timeout | undefined

  constructor(send: (results: readonly Outcome[]) => void) {
    this.#send = send
  }

  /** @param moreFollow whether whoever made these has more to do; if not, there is nothing to wait for */
  add(results: readonly Outcome[], moreFollow: boolean): void {
    for (const result of results) this.#waiting.push(result)
    const jobMs = (results.at(-1)?.micros ?? 0) / 1000
    const togetherMs = Math.max(TOGETHER_MS, Math.min(jobMs, LONG_JOBS_TOGETHER_MS))
    const quick = performance.now() - this.#sentMs < togetherMs
    if (!moreFollow || !quick || this.#waiting.length >= ENOUGH_RESULTS) this.flush()
    else this.#timer ??= setTimeout(() => this.flush(), togetherMs)
  }

  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#waiting.length === 0) return
    const results = this.#waiting
    this.#waiting = []
    this.#sentMs = performance.now()
    this.#send(results)
  }

  /** Nobody wants them any more. */
  discard(): void {
    this.#waiting = []
    this.flush()
  }
}
