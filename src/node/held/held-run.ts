import type { RunStage } from '../../journal/run-store.ts'
import type { HeldRunStatus } from '../../protocol/held-messages.ts'
import { JobError, MeshError } from '../errors.ts'
import type { HeldRecord } from './held-record.ts'
import { HeldSource } from './held-source.ts'
import type { Run } from '../run/run.ts'
import type { TaskSource } from '../run/task-source.ts'

/** Results that come within this time are written together: each write costs more than many jobs. */
const WRITE_EVERY_MS = 25

/** What a power cut may cost, at most. */
const FLUSH_EVERY_MS = 5_000

export interface HeldRunParts {
  /** Id and name of this node. */
  readonly self: { readonly peer: string; readonly node: string }
  readonly start: (source: TaskSource, label: string) => Run<unknown>
  /** @returns why the run is too large now */
  readonly onGrown: (id: string, bytes: number) => string | undefined
}

/** A held run being run by its holder: from the disk through the mesh, and the results back to the disk. */
export class HeldRun {
  readonly record: HeldRecord
  readonly #parts: HeldRunParts
  readonly #watchers = new Set<() => void>()
  #run: Run<unknown> | undefined
  #isStarted = false
  #isCancelled = false

  constructor(record: HeldRecord, parts: HeldRunParts) {
    this.record = record
    this.#parts = parts
  }

  get status(): HeldRunStatus {
    return heldStatus(this.record, this.record.results, this.#isStarted)
  }

  get isWatched(): boolean {
    return this.#watchers.size > 0
  }

  /** Calls `onNews` whenever there are more results, or another state. */
  watch(onNews: () => void): () => void {
    this.#watchers.add(onNews)
    return () => this.#watchers.delete(onNews)
  }

  /** It is on the disk no more: those who watch it find out when they read. */
  forget(): void {
    this.#tell()
  }

  cancel(): void {
    if (isEnded(this.record.stage)) return
    this.#isCancelled = true
    if (this.#run === undefined) this.#end('cancelled')
    else this.#run.fail(new JobError('JOB_CANCELLED', 'the run was cancelled'))
  }

  /** Until every job has its result, the run is cancelled or cannot go on, or the node is stopped. Throws nothing. */
  async execute(): Promise<void> {
    this.#isStarted = true
    this.#tell()
    try {
      while (!(await this.#attempt()));
    } finally {
      this.#isStarted = false
      this.#run = undefined
      this.#tell()
    }
  }

  /** @returns false when it has to be tried again: there was nobody to run jobs for weeks */
  async #attempt(): Promise<boolean> {
    try {
      await this.#deliver()
      this.#end('finished')
    } catch (error) {
      if (this.#isCancelled) this.#end('cancelled')
      else if (!(error instanceof MeshError)) this.#end('failed', reasonOf(error))
      else if (error.code !== 'MESH_STOPPED') return false
      else this.#end('interrupted')
    }
    return true
  }

  async #deliver(): Promise<void> {
    const { record } = this
    if (this.#isCancelled) throw new JobError('JOB_CANCELLED', 'the run was cancelled')
    const source = new HeldSource(record, this.#parts.self, (error) => queueMicrotask(() => run.fail(error)))
    const run = this.#parts.start(source, record.info.label)
    this.#run = run
    let flushedMs = performance.now()
    for await (const settlements of run.settlements()) {
      const before = record.results.bytes
      record.append(settlements)
      this.#tell()
      const refusal = this.#parts.onGrown(record.id, record.results.bytes - before)
      if (refusal !== undefined) throw new Error(`the node that holds it has no more room: ${refusal}`)
      if (performance.now() - flushedMs > FLUSH_EVERY_MS) {
        record.flush()
        flushedMs = performance.now()
      }
      await new Promise((resolve) => setTimeout(resolve, WRITE_EVERY_MS))
    }
    const missing = record.jobs - record.results.count
    if (missing > 0) throw new Error(`${missing} jobs have no result`)
  }

  #end(stage: RunStage, reason?: string): void {
    try {
      this.record.end(stage, reason)
    } catch {
      // The disk takes nothing more. What is on it says that the run is not finished, which is true.
    }
    this.#tell()
  }

  #tell(): void {
    for (const onNews of this.#watchers) onNews()
  }
}

export function isEnded(stage: RunStage): boolean {
  return stage === 'finished' || stage === 'failed' || stage === 'cancelled'
}

export function heldStatus(
  record: HeldRecord,
  { succeeded, failed }: { readonly succeeded: number; readonly failed: number },
  isStarted: boolean
): HeldRunStatus {
  const { info, origin, stage, jobs, reason } = record
  return {
    id: info.id,
    label: info.label,
    from: origin.from,
    state: stage === 'open' || stage === 'interrupted' ? (isStarted ? 'running' : 'waiting') : stage,
    jobs,
    succeeded,
    failed,
    ageSeconds: ageOf(info.startedMs),
    reason: reason.slice(0, 255)
  }
}

/** In seconds; by clocks that may be set back and forth. */
export function ageOf(startedMs: number): number {
  return Math.min(0xffff_ffff, Math.max(0, Math.round((Date.now() - startedMs) / 1_000)))
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
