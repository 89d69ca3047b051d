import { availableParallelism } from 'node:os'
import type { DistNode } from '../../index.ts'
import { isOnBattery, othersShare, processorTimes } from './machine.ts'
import { PausePolicy, type PauseRules } from './pause-policy.ts'

/** Soon enough for somebody who unplugs or comes back, and next to no work. */
const LOOK_EVERY_MS = 5_000

/**
 * Stops and resumes lending as the rules say.
 *
 * @param onChange gets the reason, or `undefined` when the node lends again
 * @returns what ends it
 */
export function pauseWhenNeeded(
  node: DistNode,
  rules: PauseRules,
  onChange: (reason: string | undefined) => void
): () => void {
  const policy = new PausePolicy(rules)
  let before = processorTimes()
  let beforeMs = performance.now()
  let told: string | undefined
  const look = (): void => {
    const nowMs = performance.now()
    const after = processorTimes()
    const elapsed = { elapsedMs: nowMs - beforeMs, processors: availableParallelism() }
    const share = elapsed.elapsedMs > 0 ? othersShare(before, after, elapsed) : 0
    ;[before, beforeMs] = [after, nowMs]
    const reason = policy.reason({ nowMs, onBattery: isOnBattery(), othersShare: share })
    if (reason === told) return
    told = reason
    if (reason === undefined) node.resumeLending()
    else node.pauseLending()
    onChange(reason)
  }
  look()
  const timer = setInterval(look, LOOK_EVERY_MS)
  return () => clearInterval(timer)
}
