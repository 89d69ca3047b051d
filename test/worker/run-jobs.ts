import type { ExitReason } from '../../src/worker/exit-reason.ts'
import { WorkerProcess } from '../../src/worker/process.ts'
import type { JobResult, WorkerProcessOptions } from '../../src/worker/process.ts'
import type { Sandbox } from '../../src/worker/sandbox.ts'
import { printArguments, printHead, printJob, readValue } from './print-job.ts'

export interface Outcome {
  readonly ok: boolean
  readonly code?: string | undefined
  /** The value, the error, or the message that comes with a code. */
  readonly value: unknown
  readonly micros: number
}

export interface LogLine {
  readonly job: number
  readonly stream: string
  readonly text: string
}

type Numbered = { job: number; attempt: number; body: Uint8Array }

/** One worker process with a run open in it; jobs are ordinary functions. Killed when disposed of. */
export class TestWorker {
  readonly worker: WorkerProcess
  readonly logs: LogLine[] = []
  /** In the order they came, with the time of their arrival. */
  readonly arrivals: { result: JobResult; atMs: number }[] = []
  readonly exit: Promise<ExitReason>
  readonly #waiting = new Map<number, PromiseWithResolvers<Outcome>>()
  #nextJob = 0

  static async open(
    sandbox: Sandbox,
    options: WorkerProcessOptions & { setup?: () => unknown } = {}
  ): Promise<TestWorker> {
    const worker = WorkerProcess.spawn(sandbox, options)
    const setup = options.setup === undefined ? undefined : await printJob(options.setup)
    for (const [hash, bytes] of setup?.blobs ?? []) worker.addBlob(hash, bytes)
    return new TestWorker(worker, setup?.body)
  }

  private constructor(worker: WorkerProcess, setup: Uint8Array | undefined) {
    this.worker = worker
    const exit = Promise.withResolvers<ExitReason>()
    this.exit = exit.promise
    worker.open(setup === undefined ? {} : { setup: { body: setup } }, {
      results: (results) => {
        for (const result of results) this.#onResult(result)
      },
      log: (job, stream, text) => this.logs.push({ job, stream, text }),
      exit: (reason) => {
        exit.resolve(reason)
        const error = new Error(`${reason.code}: ${reason.message}`)
        for (const { reject } of this.#waiting.values()) reject(error)
      }
    })
  }

  /** Runs one function and gives its outcome. Rejects when the process ends first. */
  async call(job: () => unknown, timeoutMs = 0): Promise<Outcome> {
    const [outcome] = await this.batch([job], timeoutMs)
    return (await outcome) as Outcome
  }

  /** Runs functions as one batch. */
  async batch(jobs: (() => unknown)[], timeoutMs = 0): Promise<Promise<Outcome>[]> {
    const printed = await Promise.all(jobs.map((job) => printJob(job)))
    for (const { blobs } of printed) this.#addBlobs(blobs)
    const numbered = printed.map(({ body }) => ({ job: this.#nextJob++, attempt: 1, body }))
    return this.#run(undefined, numbered, timeoutMs)
  }

  /** Runs one function with each of these arguments, as one batch. */
  async map<T>(job: (argument: T) => unknown, inputs: T[], timeoutMs = 0): Promise<Promise<Outcome>[]> {
    const { head, blobs } = await printHead(job)
    this.#addBlobs(blobs)
    const bodies = await Promise.all(inputs.map((input) => printArguments([input])))
    const numbered = bodies.map((body) => ({ job: this.#nextJob++, attempt: 1, body }))
    return this.#run(head, numbered, timeoutMs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.worker.kill()
  }

  #addBlobs(blobs: Map<string, Uint8Array>): void {
    for (const [hash, bytes] of blobs) this.worker.addBlob(hash, bytes)
  }

  #run(head: string | undefined, jobs: Numbered[], timeoutMs: number): Promise<Outcome>[] {
    const outcomes = jobs.map(({ job }) => {
      const waiting = Promise.withResolvers<Outcome>()
      waiting.promise.catch(() => {}) // those nobody asks about
      this.#waiting.set(job, waiting)
      return waiting.promise
    })
    this.worker.run({ timeoutMs, head, jobs })
    return outcomes
  }

  #onResult(result: JobResult): void {
    this.arrivals.push({ result, atMs: performance.now() })
    const waiting = this.#waiting.get(result.job)
    if (waiting === undefined) return // a test that runs bytes of its own looks at the arrivals
    this.#waiting.delete(result.job)
    const isText = result.code !== undefined && result.code !== 'JOB_SETUP_FAILED'
    const value = isText ? Buffer.from(result.body).toString() : readValue(result.body)
    waiting.resolve({ ok: result.ok, code: result.code, value, micros: result.micros })
  }
}
