import { totalmem } from 'node:os'
import { FrameError } from './errors.ts'

/** What a machine of any size must be able to hold. */
const LEAST_BYTES = 64 * 1024 * 1024

/**
 * How much of the memory of this process half-received large messages may fill, of all peers together. Each channel has
 * limits of its own, but a member of the mesh may open many channels, and there may be many members. Whoever holds most
 * when the budget is used up is cut off, so one peer cannot use up what the others need.
 */
export class ReceiveBudget {
  readonly maxBytes: number
  readonly #shares = new Set<ReceiveShare>()
  #usedBytes = 0

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  /**
   * A channel's part of the budget, to be closed with it.
   *
   * @param evict cuts the channel off
   */
  share(evict: (error: FrameError) => void): ReceiveShare {
    const share: ReceiveShare = new ReceiveShare(
      (bytes) => {
        this.#usedBytes += bytes
        if (bytes > 0) this.#enforce()
      },
      evict,
      () => this.#shares.delete(share)
    )
    this.#shares.add(share)
    return share
  }

  #enforce(): void {
    while (this.#usedBytes > this.maxBytes) {
      const largest = [...this.#shares].toSorted((a, b) => b.bytes - a.bytes)[0]
      if (largest === undefined) return
      largest.evict(
        new FrameError(
          `${largest.bytes} bytes of unfinished large messages: all peers together may have ${this.maxBytes} on the way to this node, and this peer had most; send fewer or smaller ones at a time`
        )
      )
    }
  }
}

/** What one channel holds of the budget. */
export class ReceiveShare {
  readonly #change: (bytes: number) => void
  readonly #evict: (error: FrameError) => void
  readonly #leave: () => void
  #bytes = 0

  constructor(change: (bytes: number) => void, evict: (error: FrameError) => void, leave: () => void) {
    this.#change = change
    this.#evict = evict
    this.#leave = leave
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Bytes came, or (negative) their message is complete. May evict this channel or another. */
  add(bytes: number): void {
    this.#bytes += bytes
    this.#change(bytes)
  }

  /** Gives all back. */
  close(): void {
    this.add(-this.#bytes)
    this.#leave()
  }

  evict(error: FrameError): void {
    this.close()
    this.#evict(error)
  }
}

/** Half of the memory this process may use: the node runs other things, and workers, beside it. */
export function receiveBudgetBytes(memoryBytes: number): number {
  return Math.max(LEAST_BYTES, Math.floor(memoryBytes / 2))
}

/** The budget of this process. A container's limit counts where there is one. */
export const RECEIVE_BUDGET = new ReceiveBudget(
  receiveBudgetBytes(Math.min(totalmem(), process.constrainedMemory() || Infinity))
)
