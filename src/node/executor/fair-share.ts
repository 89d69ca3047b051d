/**
 * Which run gets the next free slot of an executor. Plain function: state in, decision out.
 *
 * Runs share the slots by the time they have used (start-time fair queueing, Goyal et al. 1996, with equal weights):
 * the run that has used least goes first, and a run that is new starts level with the least of the others instead of
 * collecting for the past.
 */

/** What the choice depends on, of one run that has batches waiting. */
export interface Contender {
  /** Time its jobs have used here, in microseconds. */
  readonly usedMicros: number
  /** It has a worker process with nothing to do. */
  readonly hasIdleWorker: boolean
  /** Its worker processes that have just one batch and could be given the next one ahead of time. */
  readonly hasWorkerForPrefetch: boolean
}

export type Assignment<C> =
  | { readonly kind: 'idle-worker'; readonly run: C }
  | { readonly kind: 'new-worker'; readonly run: C }
  | { readonly kind: 'prefetch'; readonly run: C }

/**
 * The next thing to do, `undefined` when there is nothing.
 *
 * @param contenders runs with batches waiting
 * @param freeSlots slots in which nothing runs
 */
export function chooseAssignment<C extends Contender>(
  contenders: Iterable<C>,
  freeSlots: number
): Assignment<C> | undefined {
  let least: C | undefined
  for (const run of contenders) if (least === undefined || run.usedMicros < least.usedMicros) least = run
  if (least === undefined) return undefined
  if (freeSlots > 0) return { kind: least.hasIdleWorker ? 'idle-worker' : 'new-worker', run: least }
  // With all slots busy, a batch is put behind a running one only for the run whose turn is next: its process then
  // goes on without waiting for us.
  return least.hasWorkerForPrefetch ? { kind: 'prefetch', run: least } : undefined
}
