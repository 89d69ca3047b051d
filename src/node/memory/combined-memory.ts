import type { JobError } from '../errors.ts'
import type { PeerId } from '../link.ts'
import type { Remembered, RunEnd, RunMemory } from './run-memory.ts'
import type { Copy, Outcome } from '../run/task.ts'
import type { PrintedTask } from '../run/task-printer.ts'

/** A run's own journal, and behind it the cache: what comes from the cache goes to the journal like any result. */
export class CombinedMemory implements RunMemory {
  readonly #journal: RunMemory
  readonly #cache: RunMemory

  constructor(journal: RunMemory, cache: RunMemory) {
    this.#journal = journal
    this.#cache = cache
  }

  get isFull(): boolean {
    return this.#journal.isFull || this.#cache.isFull
  }

  recall(task: PrintedTask): Remembered | undefined {
    const own = this.#journal.recall(task)
    if (own !== undefined) return own
    const cached = this.#cache.recall(task)
    if (cached !== undefined) this.#journal.settled(task, cached.outcome, cached.peer, cached.node)
    return cached
  }

  sending(copies: readonly Copy[]): void {
    this.#journal.sending(copies)
  }

  settled(task: PrintedTask, outcome: Outcome | JobError, peer: PeerId, node: string): void {
    this.#journal.settled(task, outcome, peer, node)
    this.#cache.settled(task, outcome, peer, node)
  }

  ended(end: RunEnd): void {
    this.#journal.ended(end)
    this.#cache.ended(end)
  }
}
