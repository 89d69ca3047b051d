/** Outcomes of jobs as a holder keeps them. */
import { NOTHING, type StoredOutcome } from '../../journal/outcome-segment.ts'
import { JobError } from '../errors.ts'
import { MAX_HELD_BODY_BYTES } from './held-limits.ts'
import type { Settlement } from '../run/run.ts'

export type RecordedOutcome = StoredOutcome & { readonly kind: 'ok' | 'error' }

export function isResult(outcome: StoredOutcome): outcome is RecordedOutcome {
  return outcome.kind === 'ok' || outcome.kind === 'error'
}

export function storedOutcome({ index, peer, node, outcome }: Settlement): StoredOutcome {
  const place = { index, peer, node, keyHead: '', keyTail: NOTHING }
  if (outcome instanceof JobError) {
    const body = new TextEncoder().encode(outcome.message)
    return { ...place, kind: 'error', attempt: 1, micros: 0, code: outcome.code, body }
  }
  if (outcome.body.length > MAX_HELD_BODY_BYTES)
    return storedOutcome({ index, peer, node, outcome: tooLarge(index) })
  const { ok, attempt, micros, code, body } = outcome
  const kind = ok ? 'ok' : 'error'
  return {
    ...place,
    kind,
    attempt,
    micros: Math.round(micros),
    ...(code === undefined ? {} : { code }),
    body
  }
}

function tooLarge(index: number): JobError {
  const mib = MAX_HELD_BODY_BYTES / 1024 ** 2
  return new JobError(
    'RESULT_TOO_LARGE',
    `what job ${index} returned has more than the ${mib} MiB a held run may keep of one job`
  )
}

/** Says that a job is about to be sent. */
export function startedOutcome(index: number): StoredOutcome {
  const nobody = { peer: '', node: '', keyHead: '', keyTail: NOTHING, body: NOTHING }
  return { index, kind: 'started', attempt: 1, micros: 0, ...nobody }
}
