/**
 * One run on its submitter: takes tasks from its source as the mesh has room, carries out what the scheduler decides,
 * and hands the results over. Start reading here to follow a job.
 */
import type { Printer } from '../../codec/print/print.ts'
import { Completions } from './completions.ts'
import { tellResultsReceived } from '../diagnostics.ts'
import { JobError, MeshError } from '../errors.ts'
import { InputPump } from './input-pump.ts'
import type { ExecutorState, PeerId } from '../link.ts'
import type { ResolvedRunOptions } from '../options.ts'
import type { Origin, RunEnd, RunMemory } from '../memory/run-memory.ts'
import { failedResult, type JobPlace, type JobResult, readResult } from './result.ts'
import { RunPorts } from './run-ports.ts'
import { type RunProgress, RunTally } from './run-tally.ts'
import { Scheduler } from './scheduler.ts'
import type { Outcome, Task } from './task.ts'
import type { PrintedTask } from './task-printer.ts'
import type { TaskSource } from './task-source.ts'

/** Results that wait for the consumer; beyond this no more jobs are taken from the input. */
const MAX_UNTAKEN = 16_384

/** Jobs taken from the input while nobody can run them, to see whether their results are known. */
const LOOK_AHEAD = 64

/** How often a run looks for stragglers. */
const TICK_MS = 100

interface RunParts {
  readonly printer: Printer
  readonly executors: () => Iterable<ExecutorState>
  readonly onEnded: () => void
}

interface RunInit {
  readonly number: number
  readonly source: TaskSource
  readonly options: ResolvedRunOptions
  readonly onStarted: () => void
  /** What outlives the run: opened when it starts. */
  readonly openMemory?: (() => RunMemory) | undefined
}

/** A settled task, not yet decoded: decoding is left to the moment the user takes it. */
interface Settled {
  readonly index: number
  readonly peer: PeerId
  readonly outcome: Outcome | JobError
  /** Where a result is from that no peer calculated in this run, and the name of the node that once did. */
  readonly from?: Origin
  readonly node?: string
}

/** A settled task with the name of the node that ran it, for whoever hands results on without reading them. */
export interface Settlement extends Settled {
  readonly node: string
}

/** Settlements that are handed on together. */
const MAX_TOGETHER = 4_096

/**
 * The results of a run. Iterate to get them one by one as they come (or in input order, if asked for); the run
 * starts with the first `next` and goes no faster than you take results. Leaving the loop early ends the run.
 *
 * @example
 * const run = node.map(render, tiles, { ordered: true })
 * for await (const { value } of run) console.log(value, `${run.progress.succeeded} of ${run.progress.total}`)
 */
export class Run<T> implements AsyncIterable<JobResult<T>> {
  readonly #parts: RunParts
  readonly #init: RunInit
  readonly #source: TaskSource
  readonly #options: ResolvedRunOptions
  readonly #scheduler: Scheduler
  readonly #completions: Completions<Settled>
  readonly #ports: RunPorts
  readonly #tally = new RunTally()
  readonly #input: InputPump
  #state: 'new' | 'running' | 'ended' = 'new'
  #memory: RunMemory | undefined
  #tick: NodeJS.Timeout | undefined
  #patience: NodeJS.Timeout | undefined

  /** @internal */
  constructor(parts: RunParts, init: RunInit) {
    this.#parts = parts
    this.#init = init
    this.#source = init.source
    this.#options = init.options
    this.#ports = new RunPorts(init.number, init.options.label, init.source)
    this.#completions = new Completions(init.options.ordered)
    this.#input = new InputPump(init.source, {
      room: () => this.#roomForTasks(),
      add: (tasks) => this.#add(tasks)
    })
    this.#scheduler = new Scheduler({
      send: (peer, copies) => {
        this.#memory?.sending(copies)
        this.#ports.send(peer, copies)
      },
      settle: (task, outcome, peer) => this.#settle(task, outcome, peer),
      cancel: (peer, jobs) => this.#ports.cancel(peer, jobs),
      recall: (peer, count) => this.#ports.recall(peer, count),
      lose: (task, peer) => this.#settle(task, lostError(task, this.#ports.nameOf(peer)), peer)
    })
  }

  /** The run's own name, on every peer and in the journal: 32 hexadecimal digits. */
  get id(): string {
    return this.#source.id
  }

  /** What executors call the run in their logs: the option `label`. */
  get label(): string {
    return this.#options.label
  }

  /** How far the run is, now. */
  get progress(): RunProgress {
    return this.#tally.progress(this.#source.total, (peer) => this.#ports.nameOf(peer))
  }

  /** Yields every result, those of failed jobs too. @throws {PrintError | MeshError} when the run cannot go on */
  async *[Symbol.asyncIterator](): AsyncGenerator<JobResult<T>, void, void> {
    this.#start()
    try {
      for (;;) {
        const settled = this.#completions.takeNow() ?? (await this.#completions.take())
        if (settled === undefined) return
        if (this.#completions.size === MAX_UNTAKEN - 1) this.#input.wake()
        yield this.#read(settled)
      }
    } finally {
      this.fail(new JobError('JOB_CANCELLED', 'the run was ended early'))
    }
  }

  /**
   * In place of iterating: everything that has come, undecoded, whenever something has.
   *
   * @internal
   */
  async *settlements(): AsyncGenerator<readonly Settlement[], void, void> {
    this.#start()
    try {
      for (;;) {
        const together: Settlement[] = []
        let settled = this.#completions.takeNow() ?? (await this.#completions.take())
        if (settled === undefined) return
        for (; settled !== undefined; settled = this.#completions.takeNow()) {
          together.push({ ...settled, node: settled.node ?? this.#ports.nameOf(settled.peer) })
          if (together.length === MAX_TOGETHER) break
        }
        this.#input.wake()
        yield together
      }
    } finally {
      this.fail(new JobError('JOB_CANCELLED', 'the run was ended early'))
    }
  }

  /**
   * All values, in input order.
   *
   * @throws what the first job to fail threw; the rest of the run is cancelled then
   */
  async all(): Promise<Awaited<T>[]> {
    const values: Awaited<T>[] = []
    for await (const result of this) values[result.index] = result.value as Awaited<T>
    return values
  }

  /** Ends the run now: running jobs are stopped everywhere, and after the results that came iterating throws. */
  fail(error: unknown): void {
    if (this.#state === 'ended') return
    this.#scheduler.abandon()
    this.#end(error)
  }

  /** @internal */
  onExecutorJoined(executor: ExecutorState): void {
    const { link, slots, rttMs } = executor
    if (this.#options.only !== undefined && !this.#options.only.includes(link.peer)) return
    this.#ports.add(executor)
    this.#scheduler.onPeerJoined(link.peer, slots, rttMs, performance.now())
    this.#checkExecutors()
  }

  /** @internal */
  onExecutorChanged(peer: PeerId, change: { slots?: number; rttMs?: number }): void {
    this.#scheduler.onPeerChanged(peer, change, performance.now())
    this.#checkExecutors()
  }

  /** @internal */
  onExecutorLost(peer: PeerId): void {
    this.#ports.remove(peer)
    this.#scheduler.onPeerLost(peer, performance.now())
    this.#checkExecutors()
    this.#endIfDone()
  }

  /** @internal */
  onOutcomes(peer: PeerId, outcomes: readonly Outcome[]): void {
    tellResultsReceived(
      { id: this.#source.id, label: this.label },
      { peer, name: this.#ports.nameOf(peer) },
      outcomes
    )
    this.#scheduler.onOutcomes(peer, outcomes, performance.now())
    this.#checkExecutors()
    this.#endIfDone()
  }

  /** @internal */
  onRecalled(peer: PeerId, jobs: readonly { job: number; attempt: number }[]): void {
    this.#scheduler.onRecalled(peer, jobs, performance.now())
    this.#checkExecutors()
  }

  #start(): void {
    if (this.#state !== 'new') throw new TypeError('a run can be iterated once')
    this.#state = 'running'
    this.#init.onStarted()
    const { signal } = this.#options
    signal?.addEventListener('abort', this.#onAbort, { once: true })
    this.#tick = setInterval(() => this.#scheduler.onTick(performance.now()), TICK_MS)
    for (const executor of this.#parts.executors()) this.onExecutorJoined(executor)
    this.#checkExecutors()
    if (signal?.aborted) return this.#onAbort()
    try {
      this.#memory = this.#init.openMemory?.()
    } catch (error) {
      return this.fail(error)
    }
    this.#readInput().catch((error: unknown) => this.fail(error))
  }

  readonly #onAbort = (): void => this.fail(this.#options.signal?.reason)

  async #readInput(): Promise<void> {
    if (!(await this.#input.run())) return
    this.#scheduler.onInputEnded(performance.now())
    this.#endIfDone()
  }

  /** @returns how many of the tasks had results from before */
  #add(tasks: PrintedTask[]): number {
    this.#tally.onTaken(tasks.length)
    if (this.#state !== 'running') return 0
    const memory = this.#memory
    const unknown = memory === undefined ? tasks : tasks.filter((task) => !this.#recall(task, memory))
    if (unknown.length > 0) this.#scheduler.onTasksAdded(unknown, performance.now())
    return tasks.length - unknown.length
  }

  /** Settles a task whose result is known from before. */
  #recall(task: PrintedTask, memory: RunMemory): boolean {
    const known = memory.recall(task)
    if (known === undefined) return false
    this.#tally.onRemembered(known.outcome.ok)
    this.#completions.push({ index: task.index, ...known })
    return true
  }

  #roomForTasks(): number {
    if (this.#completions.size >= MAX_UNTAKEN) return 0
    const wanted = this.#scheduler.wanted()
    return this.#isRecalling ? Math.max(wanted, LOOK_AHEAD) : wanted
  }

  /** Every job so far was one whose result is known: the next may be, too. */
  get #isRecalling(): boolean {
    return this.#memory?.isFull === true && this.#scheduler.unsettled === 0
  }

  #settle(task: Task, outcome: Outcome | JobError, peer: PeerId): void {
    this.#tally.onSettled(peer, !(outcome instanceof JobError) && outcome.ok)
    this.#memory?.settled(task as PrintedTask, outcome, peer, this.#ports.nameOf(peer))
    this.#completions.push({ index: task.index, peer, outcome })
  }

  #read({ index, peer, outcome, from, node = this.#ports.nameOf(peer) }: Settled): JobResult<T> {
    if (outcome instanceof JobError) return failedResult({ index, peer, node, attempt: 1, ms: 0 }, outcome)
    const ms = outcome.micros / 1000
    const place: JobPlace = { index, peer, node, attempt: outcome.attempt, ms, ...(from && { from }) }
    return readResult(outcome, place, (bytes) => this.#parts.printer.readResult(bytes))
  }

  /**
   * With no executor left the run waits for one, but not for ever. Peers that lend no more may still have jobs of ours to
   * end: the time counts from the last of them.
   */
  #checkExecutors(): void {
    this.#input.wake()
    if (this.#scheduler.totalSlots > 0 || this.#scheduler.inFlight > 0) {
      clearTimeout(this.#patience)
      this.#patience = undefined
    } else if (this.#state === 'running') {
      this.#patience ??= setTimeout(() => this.#onPatienceEnded(), this.#options.waitMs)
    }
  }

  #onPatienceEnded(): void {
    this.#patience = this.#isRecalling ? setTimeout(() => this.#onPatienceEnded(), TICK_MS) : undefined
    if (this.#patience === undefined) this.fail(this.#noExecutors())
  }

  #noExecutors(): MeshError {
    const waited = `for ${this.#options.waitMs / 1000} s`
    if (this.#ports.hadAny) {
      return new MeshError(
        'MESH_ALL_PEERS_LOST',
        `all peers are lost, or lend nothing at present, and none came back ${waited}`
      )
    }
    return new MeshError('MESH_TOO_FEW_PEERS', `no peer to run the jobs was found ${waited}`)
  }

  #endIfDone(): void {
    if (this.#state === 'running' && this.#scheduler.done) this.#end(undefined)
  }

  #end(error: unknown): void {
    this.#state = 'ended'
    clearInterval(this.#tick)
    clearTimeout(this.#patience)
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    this.#ports.close()
    this.#memory?.ended(this.#howEnded(error))
    this.#input.stop()
    this.#completions.end(error)
    this.#parts.onEnded()
  }

  #howEnded(error: unknown): RunEnd {
    if (error === undefined) return 'finished'
    if (error instanceof JobError) return 'cancelled'
    const { signal } = this.#options
    const isPassing = error instanceof MeshError || (signal?.aborted === true && error === signal.reason)
    return isPassing ? 'interrupted' : 'failed'
  }
}

function lostError(task: Task, node: string): JobError {
  return new JobError('JOB_LOST', `job ${task.index} was on ${node} when it was lost, and may not run twice`)
}
