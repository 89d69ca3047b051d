import type { PeerId } from '../link.ts'

/** Counts of a run, for progress and summaries. */
export interface RunProgress {
  /** Jobs taken from the input so far. */
  readonly taken: number
  /** Jobs that returned. */
  readonly succeeded: number
  /** Jobs that failed for good, after all retries. */
  readonly failed: number
  /** Number of all jobs, as soon as it is known: at once for an array, else when the input has been read to its end. */
  readonly total: number | undefined
  /** Finished jobs that no peer had to run: their results are from the journal or the cache. */
  readonly remembered: number
  /** Jobs that peers finished in this run, by node name. */
  readonly byNode: ReadonlyMap<string, number>
}

/** Counts what a run takes and finishes. */
export class RunTally {
  readonly #finished = new Map<PeerId, number>()
  #taken = 0
  #remembered = 0
  #succeeded = 0
  #failed = 0

  onTaken(count: number): void {
    this.#taken += count
  }

  onSettled(peer: PeerId, ok: boolean): void {
    if (ok) this.#succeeded++
    else this.#failed++
    this.#finished.set(peer, (this.#finished.get(peer) ?? 0) + 1)
  }

  onRemembered(ok: boolean): void {
    if (ok) this.#succeeded++
    else this.#failed++
    this.#remembered++
  }

  /** Several peers, or one that restarted, may have one name. */
  progress(total: number | undefined, nameOf: (peer: PeerId) => string): RunProgress {
    const byNode = new Map<string, number>()
    for (const [peer, count] of this.#finished) {
      const name = nameOf(peer)
      byNode.set(name, (byNode.get(name) ?? 0) + count)
    }
    return {
      taken: this.#taken,
      succeeded: this.#succeeded,
      failed: this.#failed,
      remembered: this.#remembered,
      total,
      byNode
    }
  }
}
