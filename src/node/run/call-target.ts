import { isJob, type Job, job } from './job.ts'

/** How a single call behaves, besides what its job says. */
export interface CallOptions {
  /** Ends the call: the job is stopped where it runs, and the call throws the signal's reason. */
  signal?: AbortSignal
}

/** What `call` and `everywhere` take first. */
export type CallTarget<T> = Job<T> | ((...args: never[]) => T)

/**
 * The two forms of a call as one.
 *
 * @param rest arguments of a function, or the options of a job
 * @throws {UsageError} when it is neither
 */
export function resolveCall<T>(
  first: CallTarget<T>,
  rest: readonly unknown[]
): { work: Job<T>; signal: AbortSignal | undefined } {
  if (!isJob(first)) return { work: job(first as (...args: unknown[]) => T, [...rest]), signal: undefined }
  const [options] = rest as [CallOptions?]
  return { work: first, signal: options?.signal }
}
