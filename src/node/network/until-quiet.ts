import { setTimeout as elapsed } from 'node:timers/promises'

/** Answers of a LAN come within milliseconds, those of busy machines a little later. */
const QUIET_MS = 300

/** For a node that has no peer: the first question may have been lost, and is asked again after a second. */
const LONELY_MS = 1_200

const LOOK_EVERY_MS = 25

/** A handful of round trips. */
const MEASURE_MS = 50

/** What is looked at; a network is one. */
export interface Quietness {
  /** Milliseconds since anything happened; 0 while something does. */
  readonly quietMs: number
  readonly sessions: Iterable<{ measure: () => void }>
}

/** Resolves when a network has come to rest and its round-trip times are known well, or after `timeoutMs`, or when the signal is aborted. */
export async function untilQuiet(
  network: Quietness,
  options: { timeoutMs?: number; signal?: AbortSignal }
): Promise<void> {
  const { timeoutMs = 3_000, signal } = options
  const endMs = performance.now() + timeoutMs
  while (performance.now() < endMs) {
    if (signal?.aborted === true) return
    const hasPeers = [...network.sessions].length > 0
    if (network.quietMs >= (hasPeers ? QUIET_MS : LONELY_MS)) break
    await elapsed(LOOK_EVERY_MS)
  }
  const sessions = [...network.sessions]
  for (const session of sessions) session.measure()
  if (sessions.length > 0) await elapsed(MEASURE_MS)
}
