import type { ChunkMessage, HeldRunStatus } from '../../protocol/held-messages.ts'
import { FOLLOW_WINDOW_BYTES, MAX_HELD_JOBS } from './held-limits.ts'
import { NumberSet } from './number-set.ts'
import type { Outcome } from '../run/task.ts'

/** A result and where it ran. */
export interface FollowedResult {
  readonly outcome: Outcome
  readonly peer: string
  readonly node: string
}

interface Chunk {
  readonly end: number
  /** Results that have not come, and those that came and were not used. */
  missing: number
  unused: number
}

interface Place {
  readonly peer: string
  readonly node: string
  readonly chunk: Chunk
}

interface Ready extends FollowedResult {
  readonly chunk: Chunk
}

/** Results that may come before the chunk that announces them: more than honest holders have under way. */
const MAX_EARLY = 16_384

/**
 * What a follower has of a held run: which results came, which were used, where to go on. Nothing is used twice, whatever
 * the holder sends, and what was not used when the holder is lost is asked for again.
 */
export class HeldFollowing {
  readonly #used = new NumberSet()
  readonly #places = new Map<number, Place>()
  readonly #early = new Map<number, Outcome>()
  readonly #chunks: Chunk[] = []
  #ready: Ready[] = []
  /** Results that came and were not used, and their bytes. */
  #waiting = 0
  #waitingBytes = 0
  /** Results that were announced and not used. */
  #announced = 0
  #isExcessive = false
  /** Everything before it was used. */
  #position = 0
  #status: HeldRunStatus | undefined
  #isSecondTry = false

  get position(): number {
    return this.#position
  }

  /** More is under way than any honest holder sends before it hears what was used. */
  get isExcessive(): boolean {
    return this.#isExcessive
  }

  /**
   * - `open`: there is more to come.
   * - `over`: the run has ended and every result was used.
   * - `again`: the run has ended and results are missing, so the list of results is not the one it was: call
   *   {@link restart} with 0.
   * - `damaged`: they are missing for good.
   */
  get state(): 'open' | 'over' | 'again' | 'damaged' {
    const status = this.#status
    if (status === undefined || status.state === 'running' || status.state === 'waiting') return 'open'
    const results = status.succeeded + status.failed
    if (this.#used.size >= results) return 'over'
    if (this.#chunks.length > 0 || this.#position < results) return 'open'
    return this.#isSecondTry ? 'damaged' : 'again'
  }

  onStatus(status: HeldRunStatus): void {
    this.#status = status
  }

  onChunk({ position, places }: ChunkMessage): void {
    const results = places.reduce((sum, { jobs }) => sum + jobs.length, 0)
    this.#announced += results
    if (results === 0 || this.#announced > MAX_HELD_JOBS) this.#isExcessive = true
    if (this.#isExcessive) return
    const chunk: Chunk = { end: position + results, missing: results, unused: results }
    this.#chunks.push(chunk)
    for (const { id, name, jobs } of places) {
      for (const job of jobs) {
        this.#places.set(job, { peer: id, node: name, chunk })
        const outcome = this.#early.get(job)
        if (outcome !== undefined) this.#arrive(outcome)
      }
    }
  }

  onResults(outcomes: readonly Outcome[]): void {
    for (const outcome of outcomes) {
      this.#waiting++
      this.#waitingBytes += outcome.body.length
      // A chunk that is larger than the window has one result.
      if (this.#waiting > 1 && this.#waitingBytes > 2 * FOLLOW_WINDOW_BYTES) this.#isExcessive = true
      if (this.#isExcessive) return
      this.#arrive(outcome)
    }
  }

  /** The next result; `undefined`: none has come. */
  take(): FollowedResult | undefined {
    for (;;) {
      const ready = this.#ready.shift()
      if (ready === undefined) return undefined
      ready.chunk.unused--
      this.#announced--
      this.#forget(ready.outcome)
      if (ready.outcome.job < MAX_HELD_JOBS && this.#used.add(ready.outcome.job)) return ready
    }
  }

  /** @returns the position to tell the holder, when it has moved since the last time */
  advance(): number | undefined {
    const before = this.#position
    while (this.#chunks[0]?.missing === 0 && this.#chunks[0].unused === 0) {
      this.#position = this.#chunks.shift()!.end
    }
    return this.#position === before ? undefined : this.#position
  }

  /** The holder is another one, or the same anew: what came and was not used will come again. */
  restart(position = this.#position): void {
    if (position === 0 && this.#position > 0) this.#isSecondTry = true
    else this.#isSecondTry = false
    this.#position = position
    this.#chunks.length = 0
    this.#ready = []
    this.#places.clear()
    this.#early.clear()
    this.#waiting = 0
    this.#waitingBytes = 0
    this.#announced = 0
    this.#status = undefined
  }

  #forget({ body }: Outcome): void {
    this.#waiting--
    this.#waitingBytes -= body.length
  }

  #arrive(outcome: Outcome): void {
    const place = this.#places.get(outcome.job)
    if (place === undefined) {
      const replaced = this.#early.get(outcome.job)
      if (replaced !== undefined) this.#forget(replaced)
      if (this.#early.size < MAX_EARLY) this.#early.set(outcome.job, outcome)
      else this.#forget(outcome)
      return
    }
    this.#places.delete(outcome.job)
    this.#early.delete(outcome.job)
    place.chunk.missing--
    this.#ready.push({ outcome, ...place })
  }
}
