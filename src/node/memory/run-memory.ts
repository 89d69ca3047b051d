import type { JobError } from '../errors.ts'
import type { PeerId } from '../link.ts'
import type { Copy, Outcome } from '../run/task.ts'
import type { PrintedTask } from '../run/task-printer.ts'

/** Where a result comes from that no peer calculated in this run. */
export type Origin = 'journal' | 'cache'

/** A result from before. */
export interface Remembered {
  readonly outcome: Outcome
  readonly peer: PeerId
  readonly node: string
  readonly from: Origin
}

/** How a run ended. */
export type RunEnd = 'finished' | 'interrupted' | 'cancelled' | 'failed'

/** What outlives a run: its journal, the cache. Called in this order, and never waited for. */
export interface RunMemory {
  /** Whether anything can be recalled: jobs are then taken from the input even while there is nobody to run them. */
  readonly isFull: boolean
  /** The result of this very job, if it is known: the job is not run then. Called once for each, in input order. */
  recall(task: PrintedTask): Remembered | undefined
  /** Before jobs leave this process. */
  sending(copies: readonly Copy[]): void
  settled(task: PrintedTask, outcome: Outcome | JobError, peer: PeerId, node: string): void
  /** Nothing more will be called. */
  ended(end: RunEnd): void
}
