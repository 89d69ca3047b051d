/**
 * A job that failed for a reason of the mesh and not by an error of its own: it ran too long, its worker died, the
 * peer that had it was lost. What the job itself threw reaches the caller as the very error it threw.
 */
export class JobError extends Error {
  override readonly name = 'JobError'
  /** Stable, for programs: one of {@link JobErrorCode}. */
  readonly code: JobErrorCode

  constructor(code: JobErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/**
 * - `JOB_TIMEOUT`: the job ran longer than its time limit and was killed.
 * - `JOB_CRASHED`: the job ended its worker process three times.
 * - `JOB_MEMORY`: the job ended its worker by using more memory than the executing node lends.
 * - `JOB_LOST`: the peer that ran the job is gone, and the job was declared `idempotent: false`.
 * - `JOB_CANCELLED`: the run was aborted before the job ended.
 * - `JOB_THREW`: the job threw something that is not an error; it is the `cause`.
 * - `JOB_RESULT_UNREADABLE`: the answer of a peer could not be decoded.
 * - `JOB_REFUSED`: an executor refused the job (too large, or against its rules); the message says why.
 */
export type JobErrorCode =
  | 'JOB_TIMEOUT'
  | 'JOB_CRASHED'
  | 'JOB_MEMORY'
  | 'JOB_LOST'
  | 'JOB_CANCELLED'
  | 'JOB_THREW'
  | 'JOB_RESULT_UNREADABLE'
  | 'JOB_REFUSED'

/** The mesh cannot do what was asked: too few peers, all peers lost, wrong password. Trying again later may help. */
export class MeshError extends Error {
  override readonly name = 'MeshError'
  /** `MESH_TOO_FEW_PEERS`, `MESH_ALL_PEERS_LOST` or `MESH_STOPPED`. */
  readonly code: 'MESH_TOO_FEW_PEERS' | 'MESH_ALL_PEERS_LOST' | 'MESH_STOPPED'

  constructor(code: MeshError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** An option or argument that cannot be used; the message says what was expected and what came. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  readonly code = 'USAGE'
}
