import type { Printed } from '../../codec/print/print.ts'
import { UsageError } from '../errors.ts'
import { expectBoolean, expectWhole, MAX_TIMER_MS } from '../option-checks.ts'

/** What can be said about one job. */
export interface JobOptions {
  /** Longest the job may run, in milliseconds, counted from when a worker process calls it. 0: no limit. @default 0 */
  timeoutMs?: number
  /**
   * How often a job that threw is tried again: after about 0.1 s, then after twice as long each time, up to 10 s.
   *
   * @default 0
   */
  retries?: number
  /**
   * Whether running the job twice does no harm. A job that is not idempotent is never run a second time: when the
   * peer that has it is lost, it fails with `JOB_LOST`, and `retries` of the whole run are not for it, only its own.
   *
   * @default true
   */
  idempotent?: boolean
  /**
   * Whether the result depends on nothing but the function, what it captures and its arguments: no clock, no chance, no
   * network. Runs with the option `cache` take the results of pure jobs from earlier runs. @default false
   */
  pure?: boolean
}

/**
 * The options of one job, or of all jobs of a run.
 *
 * @throws {UsageError} for what would make peers cut the connection: they take no such number
 */
export function checkJobOptions({ timeoutMs, retries, idempotent, pure }: JobOptions): void {
  if (timeoutMs !== undefined) expectWhole('timeoutMs', timeoutMs, 0, MAX_TIMER_MS)
  if (retries !== undefined) expectWhole('retries', retries, 0, 1000)
  if (idempotent !== undefined) expectBoolean('idempotent', idempotent)
  if (pure !== undefined) expectBoolean('pure', pure)
}

const JOB = Symbol.for('dist-node.job')

/** A function with its arguments and options, made by {@link job}. */
export interface Job<T = unknown> {
  readonly [JOB]: true
  /** What is called. */
  readonly fn: (...args: never[]) => T
  /** What it is called with. */
  readonly args: readonly unknown[]
  /** What was said about this job alone. */
  readonly options: JobOptions
}

/** What a run accepts as one job: a function of no arguments, or what {@link job} returns. */
export type JobLike<T = unknown> = (() => T) | Job<T>

/** What a job's result has as its value: what the function returns or, if that is a promise, what it resolves to. */
export type JobValue<J extends JobLike> =
  J extends Job<infer T> ? Awaited<T> : J extends () => infer T ? Awaited<T> : never

/**
 * A job out of a function and its arguments. The function is printed once, however many jobs call it.
 *
 * @throws {UsageError} when `fn` is not a function, `args` not an array, or an option cannot be used
 * @example export default sizes.map((size) => job(resize, [picture, size], { timeoutMs: 5_000 }))
 */
export function job<A extends unknown[], T>(
  fn: (...args: A) => T,
  args: A,
  options: JobOptions = {}
): Job<T> {
  if (typeof fn !== 'function') throw new UsageError(`job(fn, args): expected a function, got ${typeof fn}`)
  if (!Array.isArray(args))
    throw new UsageError(`job(fn, args): expected an array of arguments, got ${typeof args}`)
  checkJobOptions(options)
  return { [JOB]: true, fn: fn as unknown as Job<T>['fn'], args, options }
}

/**
 * Recognises jobs made by any copy of this library, for a jobs file may have its own installed.
 *
 * @example const { fn, args } = isJob(item) ? item : { fn: item, args: [] }
 */
export function isJob(value: unknown): value is Job {
  return typeof value === 'object' && value !== null && (value as Partial<Job>)[JOB] === true
}

const PRINTED = Symbol('printed')

/** The call of a job as a function of no arguments. */
export function callOf({ fn, args }: Job): () => unknown {
  const call = fn as (...args: unknown[]) => unknown
  return args.length === 0 ? call : call.bind(undefined, ...args)
}

/**
 * The same job, with its call printed already, for it alone: a function that many jobs share is printed once, and what
 * it captured would stay in all of them as it was then.
 */
export function withPrinted(job: Job, printed: Printed): Job {
  return Object.assign({ ...job }, { [PRINTED]: printed })
}

export function printedOf(job: Job): Printed | undefined {
  return (job as { [PRINTED]?: Printed })[PRINTED]
}
