import { CHUNK_BYTES, FOLLOW_WINDOW_BYTES } from './held-limits.ts'

/**
 * How much of a run's results may be under way to one follower. Runs in the holder. A follower that takes nothing costs
 * one window, however many results there are: the rest stays on the disk.
 */
export class HeldOutflow {
  /** Chunks that were sent and not taken. */
  readonly #underWay: { readonly end: number; readonly bytes: number }[] = []
  #next: number
  #bytes = 0

  constructor(position: number) {
    this.#next = position
  }

  /** Position of the first result that was not sent. */
  get next(): number {
    return this.#next
  }

  /** Whether a chunk of this size may leave now; one that is larger than the window travels alone. */
  maySend(bytes: number): boolean {
    return this.#underWay.length === 0 || this.#bytes + bytes <= FOLLOW_WINDOW_BYTES
  }

  /** Whether it is worth reading another chunk. */
  get hasRoom(): boolean {
    return this.#bytes + CHUNK_BYTES <= FOLLOW_WINDOW_BYTES
  }

  onSent(results: number, bytes: number): void {
    this.#next += results
    this.#bytes += bytes
    this.#underWay.push({ end: this.#next, bytes })
  }

  /** The follower has used everything before this position. Positions it never got count for nothing. */
  onTaken(position: number): void {
    while (this.#underWay.length > 0 && this.#underWay[0]!.end <= position) {
      this.#bytes -= this.#underWay.shift()!.bytes
    }
  }
}
