import type { JobResult } from '../../protocol/messages.ts'
import type { PeerId } from '../link.ts'

/** A job as the scheduler sees it: opaque bytes and what may be done with them. */
export interface Task {
  readonly index: number
  /** Tasks of one group may share a batch: same function, same time limit. */
  readonly group: object
  readonly bytes: number
  readonly idempotent: boolean
  /** How often it may still be tried again after throwing. */
  retriesLeft: number
  /** How often it threw. */
  failures: number
  /** How many workers it took down. */
  crashes: number
  /** Number of the newest attempt; 0 before the first. */
  attempt: number
  /** Where it is now; empty while it waits. Replaced, never changed: one array per job and no more. */
  copies: readonly Copy[]
  settled: boolean
}

/** One attempt of one task at one peer. */
export interface Copy {
  readonly task: Task
  readonly peer: PeerId
  readonly attempt: number
  readonly sentMs: number
}

/** What an executor says of one attempt. */
export type Outcome = JobResult
