import type { ChildEnd } from './child-link.ts'
import type { JobFailureCode } from './errors.ts'
import type { Attempt } from './job-queue.ts'

/** Why a worker process is no more. */
export interface ExitReason {
  /** `killed`: by our own `kill()`. `crashed`: by itself. `timeout`: a job's limit. `limit`: memory, output, or a lie. */
  readonly kind: 'killed' | 'crashed' | 'timeout' | 'limit'
  readonly code: JobFailureCode | 'WORKER_KILLED' | 'WORKER_FRAME'
  readonly message: string
  /** The attempt to blame. Absent when nothing ran, or when we ended the process for a reason of our own. */
  readonly running?: Attempt
  /** Every other attempt without a result, in the order they would have run: not at fault. */
  readonly unfinished: readonly Attempt[]
}

type Blamed = Pick<ExitReason, 'running' | 'unfinished'>

/** What we did to the process before it ended, if anything. */
export type Verdict =
  | { readonly kind: 'kill' }
  | { readonly kind: 'timeout'; readonly target: Attempt | undefined; readonly timeoutMs: number }
  | { readonly kind: 'violation'; readonly code: 'JOB_OUTPUT' | 'WORKER_FRAME'; readonly message: string }

/** Decides what an end means. `unfinished` are the attempts without result, the one that ran first; `ran` tells if it did. */
export function explainExit(
  end: ChildEnd,
  verdict: Verdict | undefined,
  unfinished: readonly Attempt[],
  ran: boolean
): ExitReason {
  const [first, ...rest] = unfinished
  const blamed: Blamed = ran && first !== undefined ? { running: first, unfinished: rest } : { unfinished }
  if (verdict === undefined) return { ...explainOwnEnd(end), ...blamed }
  if (verdict.kind === 'kill') {
    return { kind: 'killed', code: 'WORKER_KILLED', message: 'worker process ended by its owner', unfinished }
  }
  if (verdict.kind === 'violation')
    return { kind: 'limit', code: verdict.code, message: verdict.message, ...blamed }
  const { target, timeoutMs } = verdict
  const message = `job ran longer than its limit of ${timeoutMs} ms`
  // Its result may have come while the process was dying: then nobody is at fault, and its successor least of all.
  const late = target === undefined || first?.job !== target.job || first.attempt !== target.attempt
  return { kind: 'timeout', code: 'JOB_TIMEOUT', message, ...(late ? { unfinished } : blamed) }
}

function explainOwnEnd(end: ChildEnd): Pick<ExitReason, 'kind' | 'code' | 'message'> {
  const how = describeEnd(end)
  if (
    /JavaScript heap out of memory|Reached heap limit|OOM|Out of memory|Allocation failed/i.test(end.stderr)
  ) {
    return { kind: 'limit', code: 'JOB_MEMORY', message: `worker process ran out of memory (${how})` }
  }
  const words = end.stderr
    .trim()
    .split(/\s*\n\s*/)
    .slice(-10)
    .join(' | ')
    .slice(0, 500)
  return {
    kind: 'crashed',
    code: 'JOB_CRASHED',
    message: `worker process ended: ${how}${words === '' ? '' : `: ${words}`}`
  }
}

function describeEnd({ exitCode, signal }: ChildEnd): string {
  if (signal !== null) return `signal ${signal}`
  // A program in between (bwrap) reports a signal as 128 and its number.
  return exitCode !== null && exitCode > 128 ? `signal number ${exitCode - 128}` : `exit code ${exitCode}`
}
