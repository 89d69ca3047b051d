/**
 * How much work goes into a batch, how much to a peer, and how much is taken from the input: guided self-scheduling
 * (Polychronopoulos and Kuck, 1987), driven by what jobs turn out to cost. Plain functions, no state of their own.
 */

/** What a run has learnt of its jobs, and of how long they take at one peer. */
export interface Pace {
  /** Mean time inside the function, in microseconds, recent jobs weighing most; unknown before the first result. */
  meanMicros: number | undefined
  /** Batches grow at most fourfold from one answer to the next, so that one lucky first job cannot inflate them. */
  batchLimit: number
}

/**
 * Work in one batch, in microseconds: long beside the half millisecond that a frame and its wake-ups cost both ends.
 * A batch is no promise: what one worker has not begun, an idle one beside it takes over, and the mesh calls back.
 */
const BATCH_MICROS = 20_000

/** How much larger than the last ones the next batches may be. */
const BATCH_GROWTH = 4

/** What a job costs besides its function: reading, writing, bookkeeping. Measured, about; keeps batches finite. */
const OVERHEAD_MICROS = 8

/** More jobs in a frame gain nothing more. */
const MAX_BATCH_JOBS = 512

/**
 * Jobs on the way to a slot are at most two batches or two times this: a round trip that was measured while
 * somebody was busy must not send thousands of jobs out while batches are still small.
 */
const MIN_ON_THE_WAY = 32

/** Jobs longer than this are not sent ahead: waiting one round trip for the next costs little beside them. */
const NO_PREFETCH_MICROS = 100_000

/** How many answers the mean remembers: one new one weighs 30 %, a hundred nearly everything. */
const MEMORY_ANSWERS = 7 / 3

/**
 * An answer counts for at most this many times what was expected. The operating system interrupts now and then, for
 * milliseconds: one such job must not make thousands that take a microsecond look slow. If jobs have really become
 * slower, a few answers tell.
 */
const MOST_OF_EXPECTED = 16

export function updatePace(pace: Pace, outcomes: readonly { micros: number }[]): void {
  if (outcomes.length === 0) return
  const { meanMicros } = pace
  const most = meanMicros === undefined ? Infinity : MOST_OF_EXPECTED * (meanMicros + OVERHEAD_MICROS)
  let sum = 0
  for (const { micros } of outcomes) sum += Math.min(micros, most)
  const mean = sum / outcomes.length
  const weight = outcomes.length / (outcomes.length + MEMORY_ANSWERS)
  pace.meanMicros = meanMicros === undefined ? mean : meanMicros + (mean - meanMicros) * weight
  pace.batchLimit = Math.min(MAX_BATCH_JOBS, pace.batchLimit * BATCH_GROWTH)
}

/** What the size of a batch depends on besides the pace. */
export interface Supply {
  /** Jobs at hand. */
  readonly waiting: number
  /** No more will come. */
  readonly ended: boolean
  readonly slots: number
  /** Slots of all peers that have nothing to do. */
  readonly idleSlots: number
}

/** What one job takes of a slot, in microseconds; undefined before the first result. */
export function costMicros({ meanMicros }: Pace): number | undefined {
  return meanMicros === undefined ? undefined : meanMicros + OVERHEAD_MICROS
}

/**
 * Jobs in the next batch: some milliseconds of work, fewer as the end nears so that all finish together, and never so
 * many that an idle slot gets none.
 */
export function batchSize(pace: Pace, { waiting, ended, slots, idleSlots }: Supply): number {
  if (pace.meanMicros === undefined) return 1
  const byCost = Math.floor(BATCH_MICROS / (pace.meanMicros + OVERHEAD_MICROS))
  const byEnd = ended ? Math.ceil(waiting / Math.max(1, 2 * slots)) : MAX_BATCH_JOBS
  const byIdle = idleSlots > 1 ? Math.ceil(waiting / idleSlots) : MAX_BATCH_JOBS
  return Math.max(1, Math.min(byCost, byEnd, byIdle, pace.batchLimit))
}

/** A peer that needs this many times longer than the quickest may be passed over at the end. */
const SLOW = 1.5

/**
 * Whether a peer should get no more jobs because the others will have done them all before it would have done one.
 *
 * @param costMicros time of one job at this peer
 * @param quickestMicros the same at the quickest peer, which is never passed over
 * @param restMicros time in which all peers together do what is left
 */
export function comesTooLate(costMicros: number, quickestMicros: number, restMicros: number): boolean {
  return costMicros > SLOW * quickestMicros && costMicros > restMicros
}

/** With more jobs at hand than anybody needs. */
const PLENTY = { waiting: Infinity, ended: false, slots: 1, idleSlots: 0 }

/** Jobs that a peer may have in flight: what its slots run, and enough ahead to hide the way there and back. */
export function windowSize(pace: Pace, peer: { slots: number; rttMs: number }): number {
  if (pace.meanMicros === undefined || pace.meanMicros > NO_PREFETCH_MICROS) return peer.slots
  const batch = batchSize(pace, PLENTY)
  const onTheWay = Math.ceil((peer.rttMs * 1000) / (pace.meanMicros + OVERHEAD_MICROS))
  return peer.slots * (2 * batch + Math.min(onTheWay, 2 * Math.max(batch, MIN_ON_THE_WAY)))
}

/** Jobs to take from the input: what the peers have room for and one batch in hand; none before it is half a batch. */
export function pullCount(pace: Pace, room: number, waiting: number): number {
  const inHand = batchSize(pace, PLENTY)
  const count = Math.ceil(room + inHand - waiting)
  return count > 0 && count * 2 >= inHand ? count : 0
}
