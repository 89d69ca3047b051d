/**
 * Messages about held runs: a submitter hands a whole run to a holder and may leave; followers get its results from there.
 */

/**
 * From submitter to holder, in place of run-open: keep this run and see it through, whatever becomes of me. Blobs and jobs
 * follow, in which `attempt` is how often a job that throws may run; then hold-end. run-close instead of hold-end: forget it.
 */
export interface HoldMessage {
  readonly type: 'hold'
  readonly run: number
  readonly id: string
  readonly label: string
  readonly setup?: { readonly body: Uint8Array; readonly blobs: readonly string[] }
}

/** All jobs of the run were sent: so many, numbered from 0. */
export interface HoldEndMessage {
  readonly type: 'hold-end'
  readonly run: number
  readonly jobs: number
}

/** From holder to submitter: `open` answers hold, `stored` hold-end; `refused` may come at any time, with the reason. */
export interface HeldMessage {
  readonly type: 'held'
  readonly run: number
  readonly state: 'open' | 'stored' | 'refused'
  readonly reason: string
}

/** Which runs do you hold whose id begins like this? Nothing: all of them. `request` comes back in the answer. */
export interface FindRunsMessage {
  readonly type: 'find-runs'
  readonly request: number
  readonly prefix: string
}

export type HeldState = 'waiting' | 'running' | 'finished' | 'failed' | 'cancelled'

/** How a held run stands. */
export interface HeldRunStatus {
  readonly id: string
  readonly label: string
  /** Name of the node that handed it over. */
  readonly from: string
  readonly state: HeldState
  readonly jobs: number
  readonly succeeded: number
  readonly failed: number
  /** Since it was handed over, in seconds. */
  readonly ageSeconds: number
  /** Why it failed. */
  readonly reason: string
}

export interface FoundRunsMessage {
  readonly type: 'found-runs'
  readonly request: number
  readonly runs: readonly HeldRunStatus[]
}

/**
 * To a holder: send me the results of this run, the first `position` of its list not. Answered by followed, at once and
 * whenever its counts have changed. `run` is chosen by the follower, like the number of a run of its own; cancel ends the
 * run itself, run-close the following.
 */
export interface FollowMessage {
  readonly type: 'follow'
  readonly run: number
  readonly id: string
  readonly position: number
}

/** From holder to follower. Without `status`: there is no such run here (any more). */
export interface FollowedMessage {
  readonly type: 'followed'
  readonly run: number
  readonly status?: HeldRunStatus
}

/**
 * From holder to follower: which results come next, in messages of type results. Job numbers by where they ran. The
 * first of them is at `position` of the run's list.
 */
export interface ChunkMessage {
  readonly type: 'chunk'
  readonly run: number
  readonly position: number
  readonly places: readonly { readonly id: string; readonly name: string; readonly jobs: readonly number[] }[]
}

/** From follower to holder: I have used what came before this position, so there is room for more. */
export interface TakenMessage {
  readonly type: 'taken'
  readonly run: number
  readonly position: number
}

export type HeldRunMessage =
  | HoldMessage
  | HoldEndMessage
  | HeldMessage
  | FindRunsMessage
  | FoundRunsMessage
  | FollowMessage
  | FollowedMessage
  | ChunkMessage
  | TakenMessage
