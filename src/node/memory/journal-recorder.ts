/**
 * Writes down what becomes of the jobs of one run, and finds what was written by an earlier process. Results are handed
 * on at once and written a moment later, many together: what a crash costs is a moment's work, which is done again.
 */
import { JournalError } from '../../journal/errors.ts'
import type { OutcomeIndex } from '../../journal/outcome-index.ts'
import { NOTHING, OutcomeSegment, type StoredOutcome } from '../../journal/outcome-segment.ts'
import type { RunStage, RunStatus, RunStore } from '../../journal/run-store.ts'
import type { ClaimedStore } from '../../journal/runs-folder.ts'
import { JobError } from '../errors.ts'
import type { JobName, JobNames } from '../run/job-names.ts'
import type { PeerId } from '../link.ts'
import type { Remembered, RunEnd, RunMemory } from './run-memory.ts'
import type { Copy, Outcome } from '../run/task.ts'
import type { PrintedTask } from '../run/task-printer.ts'

/** Results are written when the oldest has waited for so long, or this many bytes have come together. */
const FLUSH_MS = 50
const FLUSH_BYTES = 1024 * 1024

/** A power cut may undo what was written since the disk last had to confirm it. */
const CHECKPOINT_MS = 5_000

export interface RecorderParts {
  readonly names: JobNames
  /** Makes the file, or goes on with it. Called a moment after the first job: a run does not wait for it. */
  readonly open: () => ClaimedStore
  /** What an earlier process wrote. */
  readonly index?: OutcomeIndex | undefined
  /** What it said of itself. */
  readonly earlier?: RunStatus | undefined
  readonly total: () => number | undefined
  /** Whether failed jobs are run again. */
  readonly retryFailed: boolean
  /** Of results that are written before it is enough. */
  readonly maxBytes: number
  readonly onWarning: (message: string) => void
}

export class JournalRecorder implements RunMemory {
  readonly #parts: RecorderParts
  readonly #segment = new OutcomeSegment()
  /** By a clock that nobody sets back. */
  readonly #startedMs = performance.now()
  #checkpointMs = this.#startedMs
  readonly #started = new Set<number>()
  #claimed: ClaimedStore | undefined
  #timer: NodeJS.Timeout | undefined
  #succeeded: number
  #failed: number
  #bytes = 0
  /** Full, or the disk does not take it: the run goes on without. */
  #isClosed = false

  constructor(parts: RecorderParts) {
    this.#parts = parts
    this.#succeeded = parts.index?.count('ok') ?? 0
    this.#failed = parts.index?.count('error') ?? 0
  }

  get isFull(): boolean {
    return this.#parts.index !== undefined
  }

  recall(task: PrintedTask): Remembered | undefined {
    this.#flushSoon()
    const { index } = this.#parts
    if (index === undefined) return undefined
    const name = this.#parts.names.name(task)
    const found = index.take(task.index, name.head, name.tail)
    const remembered = found === undefined ? this.#missing(task) : this.#use(task, found, name)
    if (remembered === undefined && index.kindAt(task.index) !== undefined && found?.index !== task.index) {
      this.#vacate(task.index)
    }
    return remembered
  }

  sending(copies: readonly Copy[]): void {
    const isNew = ({ idempotent, index }: PrintedTask): boolean => !idempotent && !this.#started.has(index)
    const tasks = copies.map((copy) => copy.task as PrintedTask).filter(isNew)
    if (tasks.length === 0 || this.#isClosed) return
    for (const task of tasks) {
      this.#started.add(task.index)
      this.#add(mark('started', task.index, this.#parts.names.name(task)))
    }
    // Even a power cut must not make anybody forget that such a job may have run.
    this.#flush({ durably: true })
  }

  settled(task: PrintedTask, outcome: Outcome | JobError, peer: PeerId, node: string): void {
    if (this.#isClosed) return
    const stored = this.#stored(task, outcome, peer, node)
    if (stored === undefined) return
    this.#countOut(task.index)
    this.#write(stored)
  }

  ended(end: RunEnd): void {
    this.#flush({ stage: end })
    this.#close()
  }

  #use(task: PrintedTask, found: StoredOutcome, name: JobName): Remembered | undefined {
    const { index } = task
    if (found.kind === 'started') return task.idempotent ? undefined : this.#lost(task)
    if (found.kind === 'error' && this.#parts.retryFailed) return undefined
    const body = isPrinted(found.code) ? this.#parts.names.toLive(task, found.body) : found.body
    if (body === undefined) return undefined
    if (found.index !== index) this.#move(found, index, name)
    const { peer, node, attempt, micros, code, kind } = found
    const outcome = { job: index, attempt, ok: kind === 'ok', micros, body }
    return { outcome: code === undefined ? outcome : { ...outcome, code }, peer, node, from: 'journal' }
  }

  /** Where the journal is damaged nobody knows whether a job was started. */
  #missing(task: PrintedTask): Remembered | undefined {
    const { index } = this.#parts
    return index !== undefined && index.damaged > 0 && !task.idempotent ? this.#lost(task) : undefined
  }

  #lost(task: PrintedTask): Remembered | undefined {
    if (this.#parts.retryFailed) return undefined
    const message = `job ${task.index} may have been running when the run was interrupted, and may not run twice`
    const [peer, node] = ['', 'unknown']
    const body = new TextEncoder().encode(message)
    const outcome = { job: task.index, attempt: 1, ok: false, code: 'JOB_LOST', micros: 0, body }
    this.settled(task, outcome, peer, node)
    return { outcome, peer, node, from: 'journal' }
  }

  /** The result goes to another index. Both are in one segment: there is never one without the other. */
  #move(found: StoredOutcome, index: number, name: JobName): void {
    if (this.#isClosed) return
    if (this.#isCurrent(found)) this.#countOut(found.index)
    this.#countOut(index)
    this.#add(mark('moved', found.index, name))
    this.#write({ ...found, index })
  }

  #isCurrent({ index, keyHead, keyTail }: StoredOutcome): boolean {
    const current = this.#parts.index?.at(index)
    return current?.keyHead === keyHead && Buffer.compare(current.keyTail, keyTail) === 0
  }

  /** The index has another job than before. */
  #vacate(index: number): void {
    this.#countOut(index)
    this.#add(mark('moved', index))
  }

  #countOut(index: number): void {
    const kind = this.#parts.index?.kindAt(index)
    if (kind === 'ok') this.#succeeded--
    if (kind === 'error') this.#failed--
    this.#parts.index?.forget(index)
  }

  #stored(
    task: PrintedTask,
    outcome: Outcome | JobError,
    peer: PeerId,
    node: string
  ): StoredOutcome | undefined {
    const { head: keyHead, tail: keyTail } = this.#parts.names.name(task)
    const { index } = task
    if (outcome instanceof JobError) {
      const body = new TextEncoder().encode(outcome.message)
      const { code } = outcome
      return { index, kind: 'error', attempt: 1, micros: 0, peer, node, code, keyHead, keyTail, body }
    }
    const { ok, code, attempt } = outcome
    const body = isPrinted(code) ? this.#parts.names.toStored(task, outcome.body) : outcome.body
    if (body === undefined) return undefined
    const micros = Math.round(outcome.micros)
    // Written out: this is done for every job, and merging objects costs as much as all the rest.
    if (ok) return { index, kind: 'ok', attempt, micros, peer, node, keyHead, keyTail, body }
    const stored = { index, kind: 'error', attempt, micros, peer, node, keyHead, keyTail, body } as const
    return code === undefined ? stored : { ...stored, code }
  }

  #write(outcome: StoredOutcome): void {
    if (outcome.kind === 'ok') this.#succeeded++
    if (outcome.kind === 'error') this.#failed++
    this.#bytes += outcome.body.length
    this.#add(outcome)
    if (this.#bytes <= this.#parts.maxBytes) return
    const size = `${Math.round(this.#parts.maxBytes / 1024 / 1024)} MiB`
    this.#flush()
    this.#giveUp(`the results of this run are more than ${size}: the rest is not written to the journal`)
  }

  #add(outcome: StoredOutcome): void {
    this.#segment.add(outcome)
    if (this.#segment.length >= FLUSH_BYTES) this.#flush()
    else this.#flushSoon()
  }

  #flushSoon(): void {
    if (!this.#isClosed) this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS)
  }

  #flush({ stage = 'open', durably = false }: { stage?: RunStage; durably?: boolean } = {}): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#isClosed) return
    try {
      this.#claimed ??= this.#parts.open()
      const { store } = this.#claimed
      const write = (): void => this.#writeTo(store, stage)
      if (durably) store.durably(write)
      else write()
      if (performance.now() - this.#checkpointMs < CHECKPOINT_MS) return
      this.#checkpointMs = performance.now()
      store.checkpoint()
    } catch (error) {
      if (!(error instanceof JournalError)) throw error
      this.#giveUp(`this run is not journaled any more: ${error.message}`)
    }
  }

  #writeTo(store: RunStore, stage: RunStage): void {
    if (this.#segment.count > 0) store.appendOutcomes(this.#segment.take(), this.#status(stage))
    else store.putStatus(this.#status(stage))
  }

  #giveUp(warning: string): void {
    if (this.#isClosed) return
    this.#close()
    this.#parts.onWarning(warning)
  }

  #close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#claimed?.release()
  }

  #status(stage: RunStage): RunStatus {
    const { earlier, total } = this.#parts
    const jobs = total()
    return {
      stage,
      succeeded: this.#succeeded,
      failed: this.#failed,
      ...(jobs === undefined ? {} : { total: jobs }),
      activeMs: (earlier?.activeMs ?? 0) + Math.round(performance.now() - this.#startedMs),
      updatedMs: Date.now()
    }
  }
}

/** What is known of an index without a result. */
function mark(kind: 'started' | 'moved', index: number, name?: JobName): StoredOutcome {
  const { head: keyHead, tail: keyTail } = name ?? { head: '', tail: NOTHING }
  return { kind, index, attempt: 1, micros: 0, peer: '', node: '', keyHead, keyTail, body: NOTHING }
}

/** Whether the body is a printed value, and not the message of an error of the mesh. */
export function isPrinted(code: string | undefined): boolean {
  return code === undefined || code === 'JOB_SETUP_FAILED'
}
