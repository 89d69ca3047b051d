import { randomBytes } from 'node:crypto'
import type { Printed, Printer } from '../../codec/print/print.ts'
import type { JobLike } from './job.ts'
import type { ResolvedRunOptions } from '../options.ts'
import { type PrintedTask, TaskPrinter } from './task-printer.ts'
import type { TaskSink, TaskSource } from './task-source.ts'

/** The jobs a user gave, printed one by one as they are asked for: the input may have no end. */
export class JobsSource implements TaskSource {
  readonly id: string
  readonly #jobs: Iterable<JobLike> | AsyncIterable<JobLike>
  readonly #setup: (() => unknown) | undefined
  readonly #printer: TaskPrinter
  #iterator: Iterator<JobLike> | AsyncIterator<JobLike> | undefined
  #taken = 0
  #ended = false

  constructor(
    jobs: Iterable<JobLike> | AsyncIterable<JobLike>,
    printer: Printer,
    { timeoutMs, retries, idempotent, pure, setup }: ResolvedRunOptions,
    id: string = randomBytes(16).toString('hex')
  ) {
    this.id = id
    this.#jobs = jobs
    this.#setup = setup
    this.#printer = new TaskPrinter(printer, { timeoutMs, retries, idempotent, pure })
  }

  get setup(): Printed | undefined {
    return this.#printer.setup
  }

  get total(): number | undefined {
    if (this.#ended) return this.#taken
    return Array.isArray(this.#jobs) ? this.#jobs.length : undefined
  }

  async open(): Promise<void> {
    if (this.#setup !== undefined) await this.#printer.printSetup(this.#setup)
    const jobs = this.#jobs
    this.#iterator = Symbol.asyncIterator in jobs ? jobs[Symbol.asyncIterator]() : jobs[Symbol.iterator]()
  }

  async read(count: number, sink: TaskSink): Promise<boolean> {
    const iterator = this.#iterator!
    let chunk: PrintedTask[] = []
    const flush = (): void => {
      if (chunk.length > 0) sink.add(chunk)
      chunk = []
    }
    for (let n = 0; n < count && sink.isOpen; n++) {
      const next = iterator.next()
      if (next instanceof Promise) flush()
      const item = next instanceof Promise ? await next : next
      if (!sink.isOpen) return false
      if (item.done === true) {
        this.#ended = true
        flush()
        return true
      }
      const printed = this.#printer.print(item.value, this.#taken++)
      if (printed instanceof Promise) flush()
      chunk.push(printed instanceof Promise ? await printed : printed)
    }
    flush()
    return false
  }

  blob(hash: string): Uint8Array {
    return this.#printer.blob(hash)
  }

  async close(): Promise<void> {
    if (!this.#ended) await this.#iterator?.return?.()
  }
}
