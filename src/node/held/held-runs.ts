/** All runs that a holder keeps: those on its disk from before, those that came, those it is running. */
import { JournalError } from '../../journal/errors.ts'
import type { RunsFolder } from '../../journal/runs-folder.ts'
import type { HeldRunStatus, HoldMessage } from '../../protocol/held-messages.ts'
import { MAX_RUNNING_HELD, MAX_RUNNING_OF_SUBMITTER } from './held-limits.ts'
import { HeldQuota } from './held-quota.ts'
import { HeldRecord } from './held-record.ts'
import { ageOf, HeldRun, heldStatus, isEnded } from './held-run.ts'
import type { Run } from '../run/run.ts'
import type { TaskSource } from '../run/task-source.ts'

export interface HeldRunsParts {
  readonly folder: RunsFolder
  /** Id and name of this node. */
  readonly self: { readonly peer: string; readonly node: string }
  readonly start: (source: TaskSource, label: string) => Run<unknown>
  readonly onWarning: (message: string) => void
  /** It sees this run through from now on: one that came, or one from before. */
  readonly onHeld?: (run: HeldRunStatus) => void
}

export class HeldRuns {
  readonly quota = new HeldQuota()
  readonly #parts: HeldRunsParts
  /** Opened: being run, waiting for that, or followed. */
  readonly #open = new Map<string, HeldRun>()
  /** Those whose file is not open: ended ones, and for a moment those from before. */
  readonly #closed = new Map<string, { readonly status: HeldRunStatus; readonly startedMs: number }>()
  readonly #waiting: HeldRun[] = []
  readonly #running = new Map<HeldRun, Promise<void>>()
  readonly #opening = new Map<string, Promise<HeldRun | undefined>>()
  #isClosed = false

  constructor(parts: HeldRunsParts) {
    this.#parts = parts
  }

  /** Finds what the disk has from before. What is not finished goes on as soon as its file has been looked through. */
  restore(): void {
    const ids = this.#unlessUnreadable('runs from before', () => this.#parts.folder.ids()) ?? []
    for (const id of ids) this.#unlessUnreadable(`run ${id}`, () => this.#restore(id))
  }

  /** The newest first. */
  statuses(prefix: string): HeldRunStatus[] {
    const open = [...this.#open.values()].map(({ status, record }) => ({
      status,
      startedMs: record.info.startedMs
    }))
    return [...open, ...this.#closed.values()]
      .filter(({ status }) => status.id.startsWith(prefix))
      .toSorted((a, b) => b.startedMs - a.startedMs)
      .map(({ status, startedMs }) => ({ ...status, ageSeconds: ageOf(startedMs) }))
  }

  /** Makes room for a run of this submitter, if that is possible. @returns why it is not */
  admit(id: string, submitter: string): string | undefined {
    const { folder } = this.#parts
    if (this.#isClosed) return 'it is being stopped'
    if (folder.has(id)) return 'it has a run of this id'
    for (const old of this.quota.toForget(submitter, Date.now())) this.#forget(old)
    return this.quota.refusal(submitter)
  }

  /** @throws {JournalError} when the disk does not take it */
  create(message: HoldMessage, from: string, submitter: string): HeldRecord {
    const record = HeldRecord.create(this.#parts.folder, message, { from, submitter })
    this.quota.add(message.id, submitter, message.setup?.body.length ?? 0)
    return record
  }

  /** A run that did not come completely. */
  discard(record: HeldRecord): void {
    record.close()
    this.quota.delete(record.id)
    this.#remove(record.id)
  }

  /** Sees a complete run through. */
  accept(record: HeldRecord): void {
    this.#add(record)
  }

  cancel(held: HeldRun): void {
    held.cancel()
    const at = this.#waiting.indexOf(held)
    if (at === -1) return
    this.#waiting.splice(at, 1)
    this.#onEnded(held)
  }

  /** To follow or cancel it; whoever asks watches it until he needs it no more, then calls {@link release}. */
  async find(id: string): Promise<HeldRun | undefined> {
    const open = this.#open.get(id) ?? this.#opening.get(id)
    if (open !== undefined || !this.#closed.has(id)) return open
    const opening = this.#openFile(id, () => this.#reopen(id))
    this.#opening.set(id, opening)
    return opening
  }

  /** Closes the file of an ended run that nobody follows; a moment later, for somebody may be about to. */
  release(held: HeldRun): void {
    setImmediate(() => this.#close(held))
  }

  /** Waits until what runs has been written down; the runs have to be failed before. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#waiting.length = 0
    await Promise.all(this.#running.values())
    await Promise.all(this.#opening.values())
    for (const { record } of this.#open.values()) record.close()
    this.#open.clear()
  }

  #close(held: HeldRun): void {
    const { record } = held
    if (held.isWatched || this.#running.has(held) || !isEnded(record.stage)) return
    if (this.#open.get(record.id) !== held) return
    this.#open.delete(record.id)
    this.#closed.set(record.id, { status: held.status, startedMs: record.info.startedMs })
    record.close()
  }

  #restore(id: string): void {
    const { folder } = this.#parts
    const found = HeldRecord.peek(folder, id, (record, counts) => {
      if (record.info.kind !== 'held') return undefined
      const { stage, isComplete, origin, updatedMs, info } = record
      const status = heldStatus(record, counts, false)
      return { stage, isComplete, origin, updatedMs, startedMs: info.startedMs, status }
    })
    if (found === undefined) return
    // Left by a holder that was killed in the middle of a hand-over, or being handed to another process just now.
    if (!found.isComplete) return this.#remove(id)
    const { stage, origin, updatedMs, startedMs, status } = found
    if (!isEnded(stage) && folder.isRunning(id)) return
    this.quota.add(id, origin.submitter, folder.size(id), isEnded(stage) ? updatedMs : undefined)
    this.#closed.set(id, { status, startedMs })
    if (!isEnded(stage))
      this.#opening.set(
        id,
        this.#openFile(id, () => HeldRecord.continue(folder, id))
      )
  }

  /** @returns undefined, and forgets the run, when its file cannot be used */
  async #openFile(id: string, open: () => Promise<HeldRecord>): Promise<HeldRun | undefined> {
    try {
      const record = await open()
      this.#closed.delete(id)
      if (isEnded(record.stage)) return this.#keepOpen(record)
      return this.#add(record)
    } catch (error) {
      // Whatever is wrong with one file must not end the node.
      this.#parts.onWarning(
        `run ${id} cannot be read: ${error instanceof Error ? error.message : String(error)}`
      )
      this.#closed.delete(id)
      this.quota.delete(id)
      return undefined
    } finally {
      this.#opening.delete(id)
    }
  }

  /** To be read; if the disk has lost results, their jobs are run again. */
  async #reopen(id: string): Promise<HeldRecord> {
    const { folder, onWarning } = this.#parts
    const record = await HeldRecord.read(folder, id)
    const lost = record.jobs - record.results.count
    if (record.stage !== 'finished' || lost <= 0) return record
    onWarning(`run ${id}: ${lost} results are damaged; running their jobs again`)
    record.close()
    const again = await HeldRecord.continue(folder, id)
    again.end('open')
    return again
  }

  #keepOpen(record: HeldRecord): HeldRun {
    const held = this.#makeRun(record)
    this.#open.set(record.id, held)
    return held
  }

  #add(record: HeldRecord): HeldRun {
    const held = this.#keepOpen(record)
    this.quota.end(record.id, undefined)
    this.#waiting.push(held)
    this.#parts.onHeld?.(held.status)
    this.#startWaiting()
    return held
  }

  #makeRun(record: HeldRecord): HeldRun {
    const { self, start } = this.#parts
    return new HeldRun(record, { self, start, onGrown: (id, bytes) => this.quota.growByResults(id, bytes) })
  }

  #startWaiting(): void {
    while (!this.#isClosed && this.#running.size < MAX_RUNNING_HELD) {
      const at = this.#waiting.findIndex((held) => this.#mayRun(held))
      const [held] = at === -1 ? [] : this.#waiting.splice(at, 1)
      if (held === undefined) return
      this.#running.set(
        held,
        held.execute().then(() => this.#onEnded(held))
      )
    }
  }

  #mayRun({ record }: HeldRun): boolean {
    const { submitter } = record.origin
    const others = [...this.#running.keys()].filter(
      ({ record: other }) => other.origin.submitter === submitter
    )
    return others.length < MAX_RUNNING_OF_SUBMITTER
  }

  #onEnded(held: HeldRun): void {
    this.#running.delete(held)
    if (isEnded(held.record.stage)) this.quota.end(held.record.id, Date.now())
    if (held.record.stage === 'failed')
      this.#parts.onWarning(`run ${held.record.id} failed: ${held.record.reason}`)
    if (this.#isClosed) return
    this.release(held)
    this.#startWaiting()
  }

  #forget(id: string): void {
    const held = this.#open.get(id)
    // Who follows it hears that it is here no more: else following for ever would keep room from everybody.
    if (held !== undefined) {
      this.#open.delete(id)
      held.record.close()
      held.forget()
    }
    this.#closed.delete(id)
    this.quota.delete(id)
    this.#remove(id)
  }

  #unlessUnreadable<T>(what: string, work: () => T): T | undefined {
    try {
      return work()
    } catch (error) {
      if (!(error instanceof JournalError)) throw error
      this.#parts.onWarning(`${what} cannot be read, and not gone on with: ${error.message}`)
      return undefined
    }
  }

  #remove(id: string): void {
    try {
      this.#parts.folder.remove(id)
    } catch (error) {
      if (!(error instanceof JournalError)) throw error
    }
  }
}
