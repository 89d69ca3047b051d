import { inspect } from 'node:util'
import { JobError, type JobErrorCode } from '../errors.ts'
import type { Outcome } from './task.ts'

/** Where and how an attempt ran. */
export interface JobPlace {
  /** Number of the job in the input, from 0. */
  readonly index: number
  /** libp2p id of the peer that ran it. */
  readonly peer: string
  /** Name of the node that ran it. */
  readonly node: string
  /** Which attempt gave this answer, from 1. */
  readonly attempt: number
  /** Time inside the function, in milliseconds. */
  readonly ms: number
  /** No peer ran the job this time: its result was kept, by this run's journal or by the cache of pure jobs. */
  readonly from?: 'journal' | 'cache'
}

/** The result of a job that returned. */
export interface JobSuccess<T> extends JobPlace {
  /** Tells this from a {@link JobFailure}. */
  readonly status: 'ok'
  /** What the job returned; what it resolved to, if it was asynchronous. */
  readonly value: T
}

/** The result of a job that failed. */
export interface JobFailure extends JobPlace {
  /** Tells this from a {@link JobSuccess}. */
  readonly status: 'error'
  /** What the job threw, or a {@link JobError} when the mesh failed it. */
  readonly error: Error
  /** Reading the value of a failed job throws its error, so a failure cannot be mistaken for `undefined`. */
  readonly value: never
}

/** The one answer to one job. */
export type JobResult<T = unknown> = JobSuccess<T> | JobFailure

class Failure implements JobFailure {
  readonly index: number
  readonly status = 'error'
  readonly error: Error
  readonly peer: string
  readonly node: string
  readonly attempt: number
  readonly ms: number
  declare readonly from?: 'journal' | 'cache'

  constructor(place: JobPlace, error: Error) {
    this.index = place.index
    this.error = error
    this.peer = place.peer
    this.node = place.node
    this.attempt = place.attempt
    this.ms = place.ms
    if (place.from !== undefined) this.from = place.from
  }

  get value(): never {
    throw this.error
  }
}

/**
 * Turns what an executor sent into what the user gets.
 *
 * @param read the reader for bytes that come from somebody else: bounded, and evaluating nothing from there
 */
export function readResult<T>(
  outcome: Outcome,
  place: JobPlace,
  read: (bytes: Uint8Array) => unknown
): JobResult<T> {
  const { ok, code, body } = outcome
  if (code !== undefined && code !== 'JOB_SETUP_FAILED') {
    return new Failure(place, new JobError(code as JobErrorCode, new TextDecoder().decode(body)))
  }
  let value: unknown
  try {
    value = read(body)
  } catch (cause) {
    const message = `the answer to job ${place.index} from ${place.node} could not be decoded`
    return new Failure(place, new JobError('RESULT_UNREADABLE', message, { cause }))
  }
  if (ok) return { ...place, status: 'ok', value: value as T }
  if (code === 'JOB_SETUP_FAILED') {
    return new Failure(
      place,
      new JobError(code, `setup failed on ${place.node}: ${describe(value)}`, { cause: value })
    )
  }
  return new Failure(place, isError(value) ? value : threwNonError(place.index, value))
}

/** What only looks like one would fail whoever prints it. */
function isError(value: unknown): value is Error {
  if (!(value instanceof Error)) return false
  const { name, message, stack }: { name: unknown; message: unknown; stack?: unknown } = value
  const isText = (part: unknown): boolean => typeof part === 'string'
  return isText(name) && isText(message) && (stack === undefined || isText(stack))
}

export function failedResult(place: JobPlace, error: JobError): JobFailure {
  return new Failure(place, error)
}

function threwNonError(index: number, cause: unknown): JobError {
  return new JobError('JOB_THREW', `job ${index} threw something that is not an error: ${show(cause)}`, {
    cause
  })
}

/** Whatever a peer made of it: parts of it may say that they are of a class whose methods they do not bear. */
function show(value: unknown): string {
  try {
    return inspect(value, {
      depth: 1,
      maxArrayLength: 5,
      maxStringLength: 100,
      breakLength: Infinity,
      customInspect: false
    })
  } catch {
    return `(${typeof value})`
  }
}

function describe(thrown: unknown): string {
  if (isError(thrown)) return `${thrown.name}: ${thrown.message}`
  return typeof thrown === 'string' ? thrown : show(thrown)
}
