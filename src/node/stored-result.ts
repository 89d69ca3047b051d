import { isResultBuiltin } from '../codec/result-builtins.ts'
import { Reader } from '../codec/read.ts'
import type { StoredOutcome } from '../journal/outcome-segment.ts'
import { type JobResult, readResult } from './result.ts'
import type { Origin } from './run-memory.ts'

/**
 * Reads results where the program that ran the jobs is not: instances of its classes become plain objects. Functions of
 * its own cannot be read, and such a result is a failure with `RESULT_UNREADABLE`.
 */
export class StoredResults {
  readonly #reader = new Reader({
    findOriginal: () => Object,
    findMember: () => Object,
    isFromPeer: true,
    allowBuiltin: isResultBuiltin
  })

  /** @param outcome of a job that has ended */
  read(outcome: StoredOutcome, from?: Origin): JobResult {
    const { index, peer, node, attempt, micros, kind, code, body } = outcome
    const place = { index, peer, node, attempt, ms: micros / 1000, ...(from && { from }) }
    const answer = { job: index, attempt, ok: kind === 'ok', micros, body, ...(code && { code }) }
    return readResult(answer, place, (bytes) => this.#reader.read(bytes))
  }
}
