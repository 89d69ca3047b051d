import type { StoredOutcome } from '../../journal/outcome-segment.ts'
import { type JobResult, readResult } from '../run/result.ts'

/**
 * A result out of a store, where the program that ran the jobs is not.
 *
 * @param outcome of a job that has ended
 * @param read of {@link foreignResultReader}
 */
export function readStored(outcome: StoredOutcome, read: (bytes: Uint8Array) => unknown): JobResult {
  const { index, peer, node, attempt, micros, kind, code, body } = outcome
  const place = { index, peer, node, attempt, ms: micros / 1000 }
  return readResult(
    { job: index, attempt, ok: kind === 'ok', micros, body, ...(code && { code }) },
    place,
    read
  )
}
