import { createHash } from 'node:crypto'
import type { Printed, Printer } from '../../codec/print/print.ts'
import { MAX_BODY_BYTES } from '../../protocol/limits.ts'
import { UsageError } from '../errors.ts'
import { isJob, type JobLike, type JobOptions, printedOf } from './job.ts'
import type { Task } from './task.ts'

/** A function printed once for many jobs, sent once per peer. */
interface Head {
  readonly hash: string
  readonly units: readonly string[]
  readonly groups: Map<number, TaskGroup>
}

/** Tasks with the same function and the same time limit. */
export interface TaskGroup {
  readonly head: Pick<Head, 'hash' | 'units'> | undefined
  readonly timeoutMs: number
}

/** A task with what travels. */
export interface PrintedTask extends Task {
  readonly group: TaskGroup
  readonly body: Uint8Array
  readonly units: readonly string[]
  /** Whether its result may be taken from the cache, and goes there. */
  readonly pure?: boolean
}

/** Turns the jobs of one run into tasks: prints functions and arguments, and keeps the blobs that peers will need. */
export class TaskPrinter {
  readonly #printer: Printer
  readonly #defaults: Required<JobOptions>
  readonly #heads = new Map<unknown, Head>()
  readonly #headBytes = new Map<string, Uint8Array>()
  readonly #closureGroups = new Map<number, TaskGroup>()
  #setup: Printed | undefined

  constructor(printer: Printer, defaults: Required<JobOptions>) {
    this.#printer = printer
    this.#defaults = defaults
  }

  /** The printed `setup` function of the run, if it has one. */
  get setup(): Printed | undefined {
    return this.#setup
  }

  async printSetup(setup: () => unknown): Promise<void> {
    this.#setup = await this.#printer.print(setup, 'setup')
  }

  blob(hash: string): Uint8Array {
    return this.#headBytes.get(hash) ?? this.#printer.unit(hash)
  }

  /**
   * The task for one job of the input; a promise only when something is seen for the first time.
   *
   * @throws {PrintError} when the job cannot travel
   * @throws {UsageError} when it is not a job at all
   */
  print(jobLike: JobLike, index: number): PrintedTask | Promise<PrintedTask> {
    if (typeof jobLike === 'function') return this.#printClosure(jobLike, index)
    if (!isJob(jobLike)) {
      throw new UsageError(`job ${index}: expected a function or job(fn, args), got ${describe(jobLike)}`)
    }
    const printed = printedOf(jobLike)
    if (printed !== undefined) return this.#closureTask(index, printed, jobLike.options)
    const head = this.#heads.get(jobLike.fn) ?? this.#printHead(jobLike.fn, index)
    if (head instanceof Promise)
      return head.then((known) => this.#printCall(known, jobLike.args, jobLike.options, index))
    return this.#printCall(head, jobLike.args, jobLike.options, index)
  }

  #printClosure(fn: () => unknown, index: number): PrintedTask | Promise<PrintedTask> {
    const printed = this.#printer.print(fn, `job ${index}`)
    if (printed instanceof Promise) return printed.then((done) => this.#closureTask(index, done, {}))
    return this.#closureTask(index, printed, {})
  }

  #closureTask(index: number, printed: Printed, options: JobOptions): PrintedTask {
    const group = groupFor(this.#closureGroups, undefined, options.timeoutMs ?? this.#defaults.timeoutMs)
    return this.#task(index, printed, group, options)
  }

  #printHead(fn: unknown, index: number): Head | Promise<Head> {
    const printed = this.#printer.print(fn, `job ${index}`)
    return printed instanceof Promise
      ? printed.then((done) => this.#keepHead(fn, done))
      : this.#keepHead(fn, printed)
  }

  #keepHead(fn: unknown, printed: Printed): Head {
    refuseTooLarge(printed.bytes.length, 'the function of the jobs')
    const hash = createHash('sha256').update(printed.bytes).digest('hex')
    const head: Head = { hash, units: printed.units, groups: new Map() }
    this.#headBytes.set(hash, printed.bytes)
    this.#heads.set(fn, head)
    return head
  }

  #printCall(
    head: Head,
    args: readonly unknown[],
    options: JobOptions,
    index: number
  ): PrintedTask | Promise<PrintedTask> {
    const printed = this.#printer.printArguments(args, `job ${index}`)
    const group = groupFor(head.groups, head, options.timeoutMs ?? this.#defaults.timeoutMs)
    if (printed instanceof Promise) return printed.then((done) => this.#task(index, done, group, options))
    return this.#task(index, printed, group, options)
  }

  #task(index: number, printed: Printed, group: TaskGroup, options: JobOptions): PrintedTask {
    refuseTooLarge(printed.bytes.length, `job ${index}`)
    return {
      index,
      group,
      body: printed.bytes,
      units: printed.units,
      bytes: printed.bytes.length,
      idempotent: options.idempotent ?? this.#defaults.idempotent,
      pure: options.pure ?? this.#defaults.pure,
      // What may not run twice is tried again only if the job itself says so, not because the run says so of all.
      retriesLeft: options.retries ?? (options.idempotent === false ? 0 : this.#defaults.retries),
      failures: 0,
      crashes: 0,
      attempt: 0,
      copies: [],
      settled: false
    }
  }
}

function groupFor(groups: Map<number, TaskGroup>, head: Head | undefined, timeoutMs: number): TaskGroup {
  let group = groups.get(timeoutMs)
  if (group === undefined) groups.set(timeoutMs, (group = { head, timeoutMs }))
  return group
}

function refuseTooLarge(bytes: number, what: string): void {
  if (bytes <= MAX_BODY_BYTES) return
  const mib = (size: number): string => `${Math.ceil(size / 1024 / 1024)} MiB`
  throw new UsageError(
    `${what}: ${mib(bytes)} with what it captures and its arguments, and ${mib(MAX_BODY_BYTES)} is the limit; ` +
      'split it into smaller jobs, or let the job make its data itself'
  )
}

function describe(value: unknown): string {
  return value === null
    ? 'null'
    : typeof value === 'object'
      ? `an object (${value.constructor?.name})`
      : typeof value
}
