// Runs in the worker process: jobs one after another, results out the moment they exist.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { JobBytes, JobsInFrame } from '../messages.ts'
import type { JobCodec, JobFunction } from './job-codec.ts'
import type { Output } from './output.ts'

/** Background work of a job (timers it leaves behind) runs at least this often between synchronous jobs. */
const YIELD_AFTER_MS = 1

/** Number used for output before the first job: the setup function's. */
export const SETUP = 0xffffffff

interface Frame {
  readonly head: string | undefined
  readonly timed: boolean
  readonly jobs: JobsInFrame
}

export class Runner {
  readonly #codec: JobCodec
  readonly #output: Output
  readonly #frames: Frame[] = []
  readonly #heads = new Map<string, JobFunction>()
  readonly #current = new AsyncLocalStorage<number>()
  #maxResultBytes = Infinity
  #setup: Uint8Array | undefined
  #setupFailure: Uint8Array | undefined
  /** A job of the first frame has begun. */
  #inFrame = false
  #busy = false
  #yieldAt = 0
  /** Set while an asynchronous job runs: ends it from outside, with an error of its background work. */
  #interrupt: ((error: unknown) => void) | undefined
  #running = SETUP

  constructor(codec: JobCodec, output: Output) {
    this.#codec = codec
    this.#output = output
  }

  /** The job whose code is executing, timers and callbacks it has left behind included. */
  get currentJob(): number {
    return this.#current.getStore() ?? this.#running
  }

  open(maxResultBytes: number, setup: Uint8Array | undefined): void {
    this.#maxResultBytes = maxResultBytes
    this.#setup = setup
  }

  add(frame: Frame): void {
    this.#frames.push(frame)
    if (this.#busy) return
    this.#busy = true
    // Not in the pipe's own callback: from there a job would see the pipe as its asynchronous parent.
    setImmediate(this.#resume)
  }

  /** An error nobody caught: it ends the job it belongs to, if that still runs; else it is one more line of its output. */
  uncaught(error: unknown): void {
    const job = this.currentJob
    if (this.#interrupt !== undefined && job === this.#running) return this.#interrupt(error)
    this.#output.log(job, 'stderr', `Uncaught, after its job had ended: ${describe(error)}\n`)
  }

  readonly #resume = (): void => {
    this.#yieldAt = performance.now() + YIELD_AFTER_MS
    this.#pump()
  }

  /** Runs jobs until none is left, one is asynchronous, or it is time to let timers and the pipe have their turn. */
  #pump(): void {
    if (this.#setup !== undefined) return this.#runSetup(this.#setup)
    for (;;) {
      const frame = this.#frames[0]
      const job = frame?.jobs.next()
      if (frame === undefined || job === undefined) {
        this.#inFrame = false
        this.#frames.shift()
        if (this.#frames.length > 0) continue
        this.#busy = false
        return
      }
      if (!this.#inFrame && frame.timed) this.#output.started(job.job)
      this.#inFrame = true
      const endedAt = this.#start(frame, job)
      if (endedAt === undefined) return
      if (endedAt > this.#yieldAt) {
        setImmediate(this.#resume)
        return
      }
    }
  }

  #runSetup(body: Uint8Array): void {
    this.#setup = undefined
    this.#running = SETUP
    const done = (): void => this.#resume()
    const failed = (error: unknown): void => {
      this.#setupFailure = this.#codec.printError(error)
      this.#resume()
    }
    this.#current.enterWith(SETUP)
    let pending: unknown
    try {
      pending = this.#codec.readFunction(body)()
    } catch (error) {
      failed(error)
      return
    }
    if (isThenable(pending)) pending.then(done, failed)
    else done()
  }

  /** Starts one job. Gives when it ended, or nothing when its result comes later. */
  #start(frame: Frame, { job, body }: JobBytes): number | undefined {
    this.#running = job
    if (this.#setupFailure !== undefined) {
      this.#output.result(job, false, 'JOB_SETUP_FAILED', 0, this.#setupFailure)
      return performance.now()
    }
    let call: JobFunction
    let args: unknown[]
    try {
      call = frame.head === undefined ? this.#codec.readFunction(body) : this.#head(frame.head)
      args = frame.head === undefined ? NO_ARGUMENTS : this.#codec.readArguments(body)
    } catch (error) {
      this.#fail(job, 'JOB_UNREADABLE', describe(error))
      return performance.now()
    }
    // Whatever the job leaves behind belongs to it for ever. `run` would cost three times as much, for going back to
    // where we were; the next job is where we go.
    this.#current.enterWith(job)
    return this.#call(job, call, args)
  }

  #call(job: number, call: JobFunction, args: unknown[]): number | undefined {
    const startedAt = performance.now()
    let value: unknown
    try {
      value = call(...args)
    } catch (error) {
      const endedAt = performance.now()
      this.#threw(job, endedAt - startedAt, error)
      return endedAt
    }
    if (isThenable(value)) {
      this.#await(job, startedAt, value)
      return undefined
    }
    const endedAt = performance.now()
    this.#returned(job, endedAt - startedAt, value)
    return endedAt
  }

  #await(job: number, startedAt: number, pending: PromiseLike<unknown>): void {
    let settled = false
    const settle = (finish: (elapsed: number) => void): void => {
      if (settled) return
      settled = true
      this.#interrupt = undefined
      const endedAt = performance.now()
      finish(endedAt - startedAt)
      if (endedAt > this.#yieldAt) setImmediate(this.#resume)
      else this.#pump()
    }
    this.#interrupt = (error) => settle((elapsed) => this.#threw(job, elapsed, error))
    pending.then(
      (value) => settle((elapsed) => this.#returned(job, elapsed, value)),
      (error: unknown) => settle((elapsed) => this.#threw(job, elapsed, error))
    )
  }

  #returned(job: number, elapsedMs: number, value: unknown): void {
    let body: Uint8Array
    try {
      body = this.#codec.printResult(value)
    } catch (error) {
      return this.#fail(job, 'RESULT_UNPRINTABLE', describe(error), elapsedMs)
    }
    if (body.length > this.#maxResultBytes) {
      const message = `the printed result has ${body.length} bytes; this node takes ${this.#maxResultBytes} at most`
      return this.#fail(job, 'RESULT_TOO_LARGE', message, elapsedMs)
    }
    this.#output.result(job, true, '', elapsedMs * 1000, body)
  }

  #threw(job: number, elapsedMs: number, error: unknown): void {
    this.#output.result(job, false, '', elapsedMs * 1000, this.#codec.printError(error))
  }

  #fail(job: number, code: string, message: string, elapsedMs = 0): void {
    this.#output.result(job, false, code, elapsedMs * 1000, Buffer.from(message))
  }

  #head(hash: string): JobFunction {
    const known = this.#heads.get(hash)
    if (known !== undefined) return known
    const head = this.#codec.readHead(hash)
    this.#heads.set(hash, head)
    return head
  }
}

const NO_ARGUMENTS: unknown[] = []

function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false
  return typeof (value as { then?: unknown }).then === 'function'
}

/** What people read when an error cannot travel as itself. */
function describe(error: unknown): string {
  try {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  } catch {
    return 'an error that cannot be shown'
  }
}
