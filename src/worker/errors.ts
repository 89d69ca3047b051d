/**
 * Codes of failures that the executing side finds, as they travel to the submitter. A job that throws has no code:
 * its error is the printed body of its result.
 */
export type JobFailureCode =
  | 'JOB_TIMEOUT' /* ran longer than its limit */
  | 'JOB_CRASHED' /* its process ended under it */
  | 'JOB_MEMORY' /* its process ended because its memory limit was reached */
  | 'JOB_OUTPUT' /* its process sent more than a well-behaved one can */
  | 'JOB_UNREADABLE' /* what came could not be turned into a function or arguments */
  | 'JOB_SETUP_FAILED' /* the run's setup function threw: the body is its error */
  | 'RESULT_UNPRINTABLE' /* the value returned cannot travel */
  | 'RESULT_TOO_LARGE'

/**
 * No sandbox of the wanted strength works on this machine. Jobs must not run; the reasons say what to install or allow.
 *
 * @example
 * // Work with the slots of others when this machine may lend none.
 * const node = await createDistNode({ password, sandboxMin: 'bwrap' }).catch((error) => {
 *   if (error.cause instanceof SandboxError) return createDistNode({ password, slots: 0 })
 *   throw error
 * })
 */
export class SandboxError extends Error {
  override readonly name = 'SandboxError'
  /** The one code of this class. */
  readonly code = 'SANDBOX_UNAVAILABLE'
  /** One line per level tried: why it does not work here. */
  readonly reasons: readonly string[]

  constructor(message: string, reasons: readonly string[] = []) {
    super(reasons.length === 0 ? message : `${message}\n  ${reasons.join('\n  ')}`)
    this.reasons = reasons
  }
}

/** The child sent bytes that no child of ours sends. It is killed: nothing more from it is believed. */
export class WorkerFrameError extends Error {
  override readonly name = 'WorkerFrameError'
  readonly code = 'WORKER_FRAME'
}

/** The worker process was used after its end, or for two runs. A mistake of the caller. */
export class WorkerStateError extends Error {
  override readonly name = 'WorkerStateError'
  readonly code = 'WORKER_STATE'
}
