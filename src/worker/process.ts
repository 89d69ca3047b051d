import { randomBytes } from 'node:crypto'
import { ChildLink } from './child-link.ts'
import type { ChildEnd } from './child-link.ts'
import { WorkerFrameError, WorkerStateError } from './errors.ts'
import type { JobFailureCode } from './errors.ts'
import { explainExit } from './exit-reason.ts'
import type { ExitReason, Verdict } from './exit-reason.ts'
import { JobDeadline } from './job-deadline.ts'
import { JobQueue } from './job-queue.ts'
import type { Attempt, Batch, SentJob } from './job-queue.ts'
import type { Command } from './level.ts'
import { MAX_LOG_BYTES_FROM_CHILD, MAX_RESULT_BYTES, START_LAST_LOOK_MS, START_TIMEOUT_MS } from './limits.ts'
import {
  decodeFromChild,
  decodeResult,
  isResult,
  encodeBlob,
  encodeHello,
  encodeJobs,
  encodeOpen
} from './messages.ts'
import type { FromChild } from './messages.ts'

export interface JobResult extends Attempt {
  readonly ok: boolean
  /** Set when the executing side failed the job; a job that threw has its printed error as body and no code. */
  readonly code?: JobFailureCode
  /** Time inside the function, in microseconds. */
  readonly micros: number
  /** Printed value, printed error, or a message in UTF-8 when there is a code (JOB_SETUP_FAILED: the printed error). */
  readonly body: Uint8Array
}

/** Calls come in the order things happened in the child; none after `exit`. */
export interface WorkerListener {
  results(results: JobResult[]): void
  log(job: number, stream: 'stdout' | 'stderr', text: string): void
  exit(reason: ExitReason): void
}

export interface WorkerRun {
  /** Printed function without arguments, called once before the first job. Add the blobs it needs before the first `run`. */
  readonly setup?: { readonly body: Uint8Array } | undefined
}

/** What tells how to start a process: a sandbox, or one that is still being tried. */
interface CommandSource {
  command(): Command
}

export interface WorkerProcessOptions {
  /** Largest printed result, in bytes; a larger one fails its job with RESULT_TOO_LARGE. */
  readonly maxResultBytes?: number
}

/**
 * One child process in its sandbox. It serves one run of one submitter, and is killed after it.
 *
 * Jobs run one after another. Every result leaves the child before the next job starts there, so that a crash, a limit
 * or a time-out is blamed on the job that ran, and results before it are safe.
 *
 * @example
 * const worker = WorkerProcess.spawn(sandbox)
 * await worker.ready
 * worker.open({}, listener)
 * worker.run({ timeoutMs: 60_000, jobs: [{ job: 0, attempt: 1, body }] })
 */
export class WorkerProcess {
  /** Resolves when the child waits for work. @throws {Error} when it ended before that; the message says how */
  readonly ready: Promise<void>
  /** Resolves when the process is gone, for whatever reason. Never rejects. */
  readonly exited: Promise<void>

  readonly #maxResultBytes: number
  readonly #queue = new JobQueue()
  readonly #deadline = new JobDeadline((target, started) => this.#timeOut(target, started))
  readonly #blobs = new Set<string>()
  readonly #ready = Promise.withResolvers<void>()
  readonly #exited = Promise.withResolvers<void>()
  readonly #early: Uint8Array[][] = []
  #link: ChildLink | undefined
  #listener: WorkerListener | undefined
  #hello: PromiseWithResolvers<Uint8Array> | undefined
  #verdict: Verdict | undefined
  #isReady = false
  #ended = false
  #logBytes = 0
  #finishedAny = false

  static spawn(sandbox: CommandSource, options: WorkerProcessOptions = {}): WorkerProcess {
    return new WorkerProcess(sandbox, options)
  }

  private constructor(sandbox: CommandSource, options: WorkerProcessOptions) {
    this.#maxResultBytes = options.maxResultBytes ?? MAX_RESULT_BYTES
    this.ready = this.#ready.promise
    this.exited = this.#exited.promise
    this.ready.catch(() => {}) // whoever waits for it is told; a spare that nobody waits for must not end the node
    this.#start(sandbox)
  }

  get pid(): number | undefined {
    return this.#link?.pid
  }

  /** The process is gone: nothing can be asked of it any more. */
  get ended(): boolean {
    return this.#ended
  }

  /** Asks the pristine child for proof that it runs, computes and answers. It stays pristine. */
  async hello(): Promise<void> {
    await this.ready
    this.#hello = Promise.withResolvers()
    const nonce = randomBytes(32)
    this.#write(encodeHello(nonce))
    const answer = await this.#hello.promise
    const expected = nonce.map((byte, index) => byte ^ (index * 7))
    if (Buffer.compare(expected, answer) !== 0) {
      throw new WorkerFrameError('the worker process gave a wrong answer')
    }
  }

  /** Binds the child to one run. @throws {WorkerStateError} when it has one already, or is gone */
  open(run: WorkerRun, listener: WorkerListener): void {
    if (this.#listener !== undefined || this.#ended)
      throw new WorkerStateError('a worker process serves one run')
    this.#listener = listener
    this.#write(encodeOpen(this.#maxResultBytes, run.setup?.body))
  }

  hasBlob(hash: string): boolean {
    return this.#blobs.has(hash)
  }

  /** Gives the child a unit or a head, named by its lower-case hexadecimal SHA-256. Once is enough; again does nothing. */
  addBlob(hash: string, bytes: Uint8Array): void {
    if (this.#blobs.has(hash)) return
    this.#blobs.add(hash)
    this.#write(encodeBlob(hash, bytes))
  }

  /** Adds jobs; they run in order, after those of earlier batches. @throws {WorkerStateError} before `open`, or after the end */
  run(batch: Batch): void {
    if (this.#listener === undefined || this.#ended)
      throw new WorkerStateError('run() needs an open, living worker process')
    this.#queue.add(batch)
    this.#feed()
  }

  /** Gives back up to `count` jobs that have not been sent to the child, those that would run last first. */
  recall(count: number): Attempt[] {
    return this.#queue.recall(count)
  }

  /** Takes back those of these jobs that have not been sent to the child. */
  cancel(jobs: ReadonlySet<number>): Attempt[] {
    return this.#queue.cancel(jobs)
  }

  /** Ends the process (SIGKILL). Resolves when it is gone. */
  async kill(): Promise<void> {
    this.#verdict ??= { kind: 'kill' }
    if (this.#isReady) this.#link?.kill()
    await this.exited
  }

  #start(sandbox: CommandSource): void {
    // A result's frame is its body and at most 64 bytes of header.
    const maxFrameBytes = this.#maxResultBytes + 64
    let timer = setTimeout(() => {
      // This process itself may have been busy all the time: what lies in the pipe is read before the verdict.
      timer = setTimeout(
        () => this.#violate('WORKER_FRAME', `no sign of life within ${START_TIMEOUT_MS} ms`),
        START_LAST_LOOK_MS
      )
    }, START_TIMEOUT_MS)
    this.ready.catch(() => {}).finally(() => clearTimeout(timer))
    try {
      this.#link = ChildLink.start(sandbox.command(), maxFrameBytes, {
        frames: (frames) => this.#onFrames(frames),
        violated: (error) =>
          (this.#verdict ??= { kind: 'violation', code: 'WORKER_FRAME', message: error.message }),
        ended: (end) => this.#onEnd(end)
      })
    } catch (error) {
      this.#onEnd({
        exitCode: null,
        signal: null,
        stderr: error instanceof Error ? error.message : String(error)
      })
    }
  }

  /**
   * Only now is the process tied to ours and to those in between, so that killing one takes all along: bwrap, killed
   * while it sets up, leaves a child behind that waits for it for ever. And only now it gets work: should this node die
   * before, a child without work finds its input at its end and ends too.
   */
  #onReady(): void {
    this.#isReady = true
    if (this.#verdict !== undefined) this.#link?.kill()
    for (const pieces of this.#early.splice(0)) this.#link?.write(pieces)
    this.#ready.resolve()
  }

  #write(pieces: Uint8Array[]): void {
    if (this.#isReady) this.#link?.write(pieces)
    else this.#early.push(pieces)
  }

  #feed(): void {
    const idle = this.#queue.running === undefined
    for (const { head, timeoutMs, jobs } of this.#queue.take()) {
      this.#write(encodeJobs(head, timeoutMs > 0, jobs))
    }
    const next = this.#queue.running
    if (idle && next !== undefined) this.#deadline.starting(next)
  }

  #onFrames(frames: readonly Uint8Array[]): boolean {
    const results: JobResult[] = []
    try {
      for (const bytes of frames) {
        if (isResult(bytes)) results.push(this.#takeResult(bytes))
        else {
          this.#deliver(results)
          this.#onOther(decodeFromChild(bytes))
        }
      }
    } finally {
      // Also those before a frame that is not to be believed.
      this.#deliver(results)
    }
    return this.#queue.flowing
  }

  #takeResult(bytes: Uint8Array): JobResult {
    const result = decodeResult(bytes)
    const attempt = this.#queue.finish(result.job, result.micros)
    if (attempt === undefined)
      throw new WorkerFrameError(`result of job ${result.job}, which does not run here`)
    result.attempt = attempt.attempt
    this.#logBytes = 0
    this.#finishedAny = true
    return result as JobResult
  }

  #deliver(results: JobResult[]): void {
    if (results.length === 0) return
    this.#watchRunning()
    this.#feed()
    this.#listener?.results(results.splice(0))
  }

  #onOther(frame: FromChild): void {
    switch (frame.type) {
      case 'ready':
        return this.#onReady()
      case 'hello':
        return this.#hello?.resolve(frame.answer)
      case 'started':
        return this.#onStarted(frame.job)
      case 'log':
        this.#logBytes += frame.text.length
        if (this.#logBytes > MAX_LOG_BYTES_FROM_CHILD) {
          return this.#violate(
            'JOB_OUTPUT',
            `more than ${MAX_LOG_BYTES_FROM_CHILD} bytes of output from one job`
          )
        }
        return this.#listener?.log(frame.job, frame.stream, frame.text)
    }
  }

  /** A result came, so the next job runs now; unless its frame is still on the way, then the child will tell. */
  #watchRunning(): void {
    const { running } = this.#queue
    if (running === undefined) this.#deadline.rest()
    else if (running.first) this.#deadline.starting(running)
    else this.#deadline.started(running)
  }

  #onStarted(job: number): void {
    const { running } = this.#queue
    if (running?.job !== job) throw new WorkerFrameError(`start of job ${job}, which is not next`)
    this.#deadline.started(running)
  }

  #timeOut(target: SentJob, started: boolean): void {
    // Not even started, in a process that has finished others: it was one of those that left something endless behind.
    const blame = started || !this.#finishedAny
    this.#verdict ??= { kind: 'timeout', target: blame ? target : undefined, timeoutMs: target.timeoutMs }
    this.#link?.kill()
  }

  #violate(code: 'JOB_OUTPUT' | 'WORKER_FRAME', message: string): void {
    this.#verdict ??= { kind: 'violation', code, message }
    this.#link?.kill()
  }

  #onEnd(end: ChildEnd): void {
    this.#ended = true
    this.#deadline.rest()
    const reason = explainExit(
      end,
      this.#verdict,
      this.#queue.unfinished(),
      this.#queue.running !== undefined
    )
    const error = new Error(reason.message)
    this.#ready.reject(error)
    this.#hello?.reject(error)
    this.#listener?.exit(reason)
    this.#exited.resolve()
  }
}
