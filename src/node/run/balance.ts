/**
 * The end of a run, when nothing is left to hand out: what idle peers can take over from others. Plain functions.
 */
import type { PeerId } from '../link.ts'
import type { Pace } from './pacing.ts'
import type { Copy, Task } from './task.ts'

/** A peer and what it has to do for one run. */
export interface PeerLoad {
  readonly id: PeerId
  slots: number
  rttMs: number
  /** By its own answers. */
  readonly pace: Pace
  readonly inFlight: Map<number, Copy>
  inFlightBytes: number
  /** A recall was sent and not yet answered. */
  recalling: boolean
}

/** A second copy is worth its work only when the first is really late. */
const HEDGE_AFTER_MS = 500
const HEDGE_AFTER_MEANS = 3

/** The peer with the longest queue of jobs it has not begun; undefined when none has more than it runs. */
export function findDonor(peers: Iterable<PeerLoad>, idle: PeerLoad): PeerLoad | undefined {
  let donor: PeerLoad | undefined
  for (const peer of peers) {
    if (peer === idle || excess(peer) <= 0) continue
    if (donor === undefined || excess(peer) > excess(donor)) donor = peer
  }
  return donor
}

/** How many jobs to ask a donor for: half of what it has not begun, no more than the idle slots can run now. */
export function recallCount(donor: PeerLoad, idleSlots: number): number {
  return Math.max(1, Math.min(idleSlots, excess(donor) >> 1))
}

/** The job that has been out longest, if that is far longer than its fellows took and a copy does no harm. */
export function findStraggler(
  peers: Iterable<PeerLoad>,
  idle: PeerLoad,
  pace: Pace,
  nowMs: number
): Task | undefined {
  const patienceMs = Math.max(HEDGE_AFTER_MS, ((pace.meanMicros ?? Infinity) / 1000) * HEDGE_AFTER_MEANS)
  let oldest: Copy | undefined
  for (const peer of peers) {
    if (peer === idle) continue
    // In the order they were sent: behind the first that is not late none is.
    for (const copy of peer.inFlight.values()) {
      if (nowMs - copy.sentMs < patienceMs) break
      if (!copy.task.idempotent || copy.task.copies.length > 1 || copy.task.crashes > 0) continue
      if (oldest === undefined || copy.sentMs < oldest.sentMs) oldest = copy
    }
  }
  return oldest?.task
}

function excess(peer: PeerLoad): number {
  return peer.inFlight.size - peer.slots
}
