import type { Printer } from '../../codec/print/print.ts'
import type { Message } from '../../protocol/messages.ts'
import type { JobLike } from './job.ts'
import { JobsSource } from './jobs-source.ts'
import type { ExecutorState, Link, PeerId } from '../link.ts'
import { type ResolvedRunOptions, resolveRunOptions, type RunOptions } from '../options.ts'
import type { Resumption } from '../memory/journal.ts'
import type { Memories } from '../memory/memories.ts'
import { Run } from './run.ts'
import type { RunMemory } from '../memory/run-memory.ts'
import type { TaskSource } from './task-source.ts'

/** A line a job printed. */
export interface LogLine {
  /** Label of the run. */
  readonly run: string
  /** Number of the job in the input, from 0. */
  readonly index: number
  /** Name of the node on which it ran. */
  readonly node: string
  /** Where the job wrote it. */
  readonly stream: 'stdout' | 'stderr'
  /** What it wrote, line ends included; text of another machine, so mind control characters. */
  readonly text: string
}

/** The submitting half of a node: its runs, and the executors that all of them may use. */
export class Submitter {
  readonly #printer: Printer
  readonly #executors = new Map<PeerId, ExecutorState>()
  readonly #runs = new Map<number, Run<unknown>>()
  readonly #memories: Memories
  readonly #onLog: (line: LogLine) => void
  #nextRun = 1
  #stopped: Error | undefined

  constructor(parts: { printer: Printer; memories: Memories; onLog: (line: LogLine) => void }) {
    this.#printer = parts.printer
    this.#memories = parts.memories
    this.#onLog = parts.onLog
  }

  get executors(): Iterable<ExecutorState> {
    return this.#executors.values()
  }

  /** A number for a conversation about a run: the answers of peers carry it. */
  nextNumber(): number {
    return this.#nextRun++
  }

  /**
   * A run that starts when its results are asked for.
   *
   * @param resumption the run it goes on with
   */
  run<T>(
    jobs: Iterable<JobLike<T>> | AsyncIterable<JobLike<T>>,
    options: RunOptions | undefined,
    resumption?: Resumption
  ): Run<T> {
    const resolved = resolveRunOptions(options)
    const source = this.source(jobs, resolved, resumption?.id)
    return this.runFrom<T>(source, resolved, this.#memories.of(source, resolved, resumption))
  }

  /** Jobs that are printed as they are asked for. */
  source(
    jobs: Iterable<JobLike> | AsyncIterable<JobLike>,
    options: ResolvedRunOptions,
    id?: string
  ): TaskSource {
    return new JobsSource(jobs, this.#printer, options, id)
  }

  /** The same of tasks that are printed already. */
  runFrom<T>(source: TaskSource, options: ResolvedRunOptions, openMemory?: () => RunMemory): Run<T> {
    const number = this.nextNumber()
    const run: Run<T> = new Run<T>(
      { printer: this.#printer, executors: () => this.executors, onEnded: () => this.#runs.delete(number) },
      { number, source, options, openMemory, onStarted: () => this.#onStarted(number, run) }
    )
    return run
  }

  addExecutor(link: Link, slots: number, rttMs: number): void {
    const executor = { link, slots, rttMs }
    this.#executors.set(link.peer, executor)
    if (this.#runs.size > 0) link.measure?.()
    for (const run of this.#runs.values()) run.onExecutorJoined(executor)
  }

  changeExecutor(peer: PeerId, change: { slots?: number; rttMs?: number }): void {
    const executor = this.#executors.get(peer)
    if (executor === undefined) return
    Object.assign(executor, change)
    for (const run of this.#runs.values()) run.onExecutorChanged(peer, change)
  }

  /** Only the link itself counts: the peer may have come back by another one already. */
  removeExecutor(link: Link): void {
    if (this.#executors.get(link.peer)?.link !== link) return
    this.#executors.delete(link.peer)
    for (const run of this.#runs.values()) run.onExecutorLost(link.peer)
  }

  /** What executors answer. Messages for runs that are over are dropped. */
  onMessage(link: Link, message: Message): void {
    switch (message.type) {
      case 'results':
        return this.#runs.get(message.run)?.onOutcomes(link.peer, message.results)
      case 'recalled':
        return this.#runs.get(message.run)?.onRecalled(link.peer, message.jobs)
      case 'credit':
        return this.changeExecutor(link.peer, { slots: message.slots })
      case 'log': {
        const run = this.#runs.get(message.run)
        if (run === undefined) return
        return this.#onLog({
          run: run.label,
          index: message.job,
          node: link.name,
          stream: message.stream,
          text: message.text
        })
      }
      default:
    }
  }

  /** Ends every run with an error, those that are still to start too. */
  stop(error: Error): void {
    this.#stopped = error
    for (const run of this.#runs.values()) run.fail(error)
  }

  #onStarted(number: number, run: Run<unknown>): void {
    if (this.#stopped !== undefined) throw this.#stopped
    this.#runs.set(number, run)
    for (const { link } of this.#executors.values()) link.measure?.()
  }
}
