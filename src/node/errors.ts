import type { JobFailureCode } from '../worker/errors.ts'

/**
 * A job that failed for a reason of the mesh and not by an error of its own: it ran too long, its worker died, the
 * peer that had it was lost. What the job itself threw reaches the caller as the very error it threw.
 *
 * @example
 * for await (const result of node.run(jobs, { timeoutMs: 5_000 })) {
 *   if (result.status === 'ok') continue
 *   const { error, index } = result
 *   if (error instanceof JobError && error.code === 'JOB_TIMEOUT') console.error(`job ${index} took too long`)
 * }
 */
export class JobError extends Error {
  override readonly name = 'JobError'
  /** Stable, for programs: one of {@link JobErrorCode}. */
  readonly code: JobErrorCode

  constructor(code: JobErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    // It is made where answers arrive: nothing on that stack is the user's.
    this.stack = `JobError [${code}]: ${message}`
  }
}

/**
 * - `JOB_TIMEOUT`: the job ran longer than its time limit and was killed.
 * - `JOB_CRASHED`: the job ended its worker process three times.
 * - `JOB_MEMORY`: the job used more memory than the executing node lends.
 * - `JOB_OUTPUT`: the job printed far more than a job may.
 * - `JOB_UNREADABLE`: the executor could not turn what it got into a function and arguments.
 * - `JOB_SETUP_FAILED`: the run's `setup` function threw; its error is the `cause`.
 * - `JOB_REFUSED`: the executor does not take the job; the message says why.
 * - `JOB_LOST`: the peer that ran the job is gone, and the job was declared `idempotent: false`.
 * - `JOB_CANCELLED`: the run was ended before the job.
 * - `JOB_THREW`: the job threw something that is not an error; it is the `cause`.
 * - `RESULT_UNPRINTABLE`: what the job returned cannot travel.
 * - `RESULT_TOO_LARGE`: what the job returned is over the limit of the executing node.
 * - `RESULT_UNREADABLE`: the answer of a peer could not be decoded.
 */
export type JobErrorCode =
  | JobFailureCode
  | 'JOB_REFUSED'
  | 'JOB_LOST'
  | 'JOB_CANCELLED'
  | 'JOB_THREW'
  | 'RESULT_UNREADABLE'

/**
 * - `MESH_TOO_FEW_PEERS`: not as many peers as asked for, or none at all, were found in time.
 * - `MESH_ALL_PEERS_LOST`: the last peer is gone and none came back in time.
 * - `MESH_STOPPED`: the node was stopped.
 * - `MESH_NO_HOLDER`: no node takes a run that is to be detached; the message has the reasons of each.
 * - `MESH_HOLDER_LOST`: the node that holds a run is gone, and did not come back in time.
 * - `MESH_RUN_UNKNOWN`: no node that is here holds that run.
 * - `MESH_RUN_FAILED`: the node that holds the run could not see it through.
 * - `MESH_RUN_CANCELLED`: somebody cancelled the detached run.
 */
export type MeshErrorCode =
  | 'MESH_TOO_FEW_PEERS'
  | 'MESH_ALL_PEERS_LOST'
  | 'MESH_STOPPED'
  | 'MESH_NO_HOLDER'
  | 'MESH_HOLDER_LOST'
  | 'MESH_RUN_UNKNOWN'
  | 'MESH_RUN_FAILED'
  | 'MESH_RUN_CANCELLED'

/**
 * The mesh cannot do what was asked: too few peers, all peers lost, wrong password. Trying again later may help.
 *
 * @example
 * await node.waitForPeers(3).catch((error) => {
 *   if (!(error instanceof MeshError)) throw error
 *   console.error(`${error.message}; going on with ${node.peers.length}`)
 * })
 */
export class MeshError extends Error {
  override readonly name = 'MeshError'
  /** Stable, for programs: one of {@link MeshErrorCode}. */
  readonly code: MeshErrorCode

  constructor(code: MeshError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/**
 * An option or argument that cannot be used; the message says what was expected and what came.
 *
 * @example
 * // slots: expected a whole number from 0 to 1024, got -1
 * await createDistNode({ slots: -1 })
 */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  /** The one code of this class. */
  readonly code = 'USAGE'
}
