/** How long a peer that could not be dialled is left alone. */

/** Turned away for good; asked to come back later; connected, but not to the end; or not reached at all. */
export type DialFailure = 'refused' | 'busy' | 'unfinished' | 'unreachable'

/** The first tries come quickly: both sides are often just starting. */
export const FIRST_DELAY_MS = 250

/** While a peer was seen not long ago, so that one whose cable is plugged in again is back within seconds. */
const RECENT_DELAY_MS = 3_000
const RECENT_MS = 10 * 60_000

/** For peers that have been gone for long. */
const LONG_DELAY_MS = 60_000

/** The peer is there but has no time: it is starved, and asking again soon would starve it more. */
const BUSY_DELAY_MS = 10_000

/**
 * After a refusal (wrong password, other version): one of the two must change something first, and dials at once when it
 * has. Each try with a wrong password uses up some of what the other side allows an address.
 */
const REFUSED_DELAY_MS = 30_000
const MAX_REFUSED_DELAY_MS = 10 * 60_000

/** A dial that took so long tells of want of time; one that was cut short at once does not. */
const STARVED_MS = 1_500

/** What the delay after a failure depends on. */
export interface FailedDial {
  readonly reason: DialFailure
  /** How long it took. */
  readonly tookMs: number
  /** How many failed in a row, and for how long by now. */
  readonly failures: number
  readonly failingMs: number
}

/** In milliseconds, without jitter. */
export function retryDelayMs({ reason, tookMs, failures, failingMs }: FailedDial): number {
  const doubling = 2 ** Math.min(failures - 1, 16)
  if (reason === 'refused') return Math.min(MAX_REFUSED_DELAY_MS, REFUSED_DELAY_MS * doubling)
  // Cut short at once: two nodes that dialled each other, or a peer that was just ending.
  if (reason === 'busy' || (reason === 'unfinished' && tookMs >= STARVED_MS)) return BUSY_DELAY_MS
  return Math.min(failingMs < RECENT_MS ? RECENT_DELAY_MS : LONG_DELAY_MS, FIRST_DELAY_MS * doubling)
}
