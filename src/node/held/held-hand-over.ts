import { JournalError } from '../../journal/errors.ts'
import type { HeldMessage, HoldMessage } from '../../protocol/held-messages.ts'
import type { BlobMessage, JobsMessage } from '../../protocol/messages.ts'
import { HeldIntake, jobsBytes, storedBytes } from './held-intake.ts'
import { MAX_SILENCE_MS } from './held-limits.ts'
import type { HeldRecord } from './held-record.ts'
import type { HeldRuns } from './held-runs.ts'
import type { Link } from '../link.ts'

/** One run on its way from a submitter to this holder: checked, and written to the disk as it comes. */
export class HeldHandOver {
  readonly #link: Link
  readonly #runs: HeldRuns
  readonly #hold: HoldMessage
  readonly #intake: HeldIntake
  readonly #onWarning: (message: string) => void
  readonly #silence = setTimeout(() => this.#onSilence(), MAX_SILENCE_MS).unref()
  #record: HeldRecord | undefined

  constructor(link: Link, hold: HoldMessage, runs: HeldRuns, onWarning: (message: string) => void) {
    this.#link = link
    this.#runs = runs
    this.#hold = hold
    this.#onWarning = onWarning
    this.#intake = new HeldIntake(hold.setup?.body.length ?? 0)
    this.#guard(() => {
      const refusal = runs.admit(hold.id, link.peer)
      if (refusal !== undefined) return refusal
      this.#record = runs.create(hold, link.name, link.peer)
      return undefined
    })
    if (this.#record !== undefined) this.#answer('open')
  }

  /** False when it was refused: what still comes of it is dropped. */
  get isOpen(): boolean {
    return this.#record !== undefined
  }

  onBlob(message: BlobMessage): void {
    this.#guard((record) => {
      if (this.#intake.hasBlob(message.hash)) return undefined
      const size = storedBytes([message.bytes], 1)
      const refusal = this.#intake.onBlob(message) ?? this.#runs.quota.grow(record.id, size)
      if (refusal === undefined) record.putBlob(message.hash, message.bytes)
      return refusal
    })
  }

  onJobs(message: JobsMessage): void {
    this.#guard((record) => {
      const { head, timeoutMs, blobs, once, jobs } = message
      const refusal = this.#intake.onJobs(message) ?? this.#runs.quota.grow(record.id, jobsBytes(message))
      if (refusal !== undefined || jobs.length === 0) return refusal
      const units = blobs.filter((hash) => hash !== head)
      record.putTasks(
        jobs.map(({ job, attempt, body }) => ({
          index: job,
          ...(head === undefined ? {} : { head }),
          units,
          timeoutMs,
          retries: Math.max(0, attempt - 1),
          idempotent: once !== true,
          body
        }))
      )
      return undefined
    })
  }

  onEnd(jobs: number): void {
    this.#guard((record) => {
      const refusal = this.#intake.onEnd(jobs, this.#hold.setup?.blobs ?? [])
      if (refusal !== undefined) return refusal
      record.complete(jobs)
      this.#close()
      this.#runs.accept(record)
      this.#answer('stored')
      return undefined
    })
  }

  /** The submitter is gone, or has thought better of it. */
  abandon(): void {
    const record = this.#record
    this.#close()
    if (record !== undefined) this.#runs.discard(record)
  }

  #onSilence(): void {
    this.#guard(() => `nothing more of it came for ${MAX_SILENCE_MS / 60_000} minutes`)
  }

  #close(): void {
    clearTimeout(this.#silence)
    this.#record = undefined
  }

  /** Does one step; a refusal, or a disk that takes nothing more, ends the hand-over. */
  #guard(step: (record: HeldRecord) => string | undefined): void {
    this.#silence.refresh()
    const refusal = this.#try(step)
    if (refusal === undefined) return
    this.abandon()
    this.#answer('refused', refusal)
  }

  #try(step: (record: HeldRecord) => string | undefined): string | undefined {
    try {
      return step(this.#record as HeldRecord)
    } catch (error) {
      if (!(error instanceof JournalError)) throw error
      this.#onWarning(`a run of ${this.#link.name} cannot be kept: ${error.message}`)
      return error.code === 'JOURNAL_UNWRITABLE' ? 'its disk takes nothing more' : 'its disk is damaged'
    }
  }

  #answer(state: HeldMessage['state'], reason = ''): void {
    this.#link.send({ type: 'held', run: this.#hold.run, state, reason })
  }
}
