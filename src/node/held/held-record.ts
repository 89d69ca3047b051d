/** One held run on the holder's disk: what it needs to be run, how it stands, and its results. */
import type { ClaimedStore, RunsFolder } from '../../journal/runs-folder.ts'
import type { RunInfo, RunStage, RunStatus, RunStore } from '../../journal/run-store.ts'
import type { StoredTask } from '../../journal/task-segment.ts'
import type { HoldMessage } from '../../protocol/held-messages.ts'
import { HeldResults } from './held-results.ts'
import type { Settlement } from '../run/run.ts'

/** What is known of a held run beside what every run has. */
export interface HeldOrigin {
  /** Name and peer id of the node that handed it over. */
  readonly from: string
  readonly submitter: string
  readonly setupUnits?: readonly string[]
}

export class HeldRecord {
  readonly info: RunInfo
  readonly origin: HeldOrigin
  readonly results: HeldResults
  readonly #store: RunStore
  readonly #release: () => void
  /** By a clock that nobody sets back. */
  readonly #openedMs = performance.now()
  #earlierMs: number
  #updatedMs: number
  #jobs: number
  #stage: RunStage
  #reason: string

  private constructor({ store, release }: ClaimedStore) {
    this.#store = store
    this.#release = release
    this.results = new HeldResults(store)
    this.info = store.info
    this.origin = (readJson(store, 'held') as HeldOrigin | undefined) ?? { from: '', submitter: '' }
    this.#jobs = (readJson(store, 'jobs') as number | undefined) ?? 0
    this.#reason = (readJson(store, 'reason') as string | undefined) ?? ''
    const status = store.status
    this.#stage = status?.stage ?? 'open'
    this.#earlierMs = status?.activeMs ?? 0
    this.#updatedMs = status?.updatedMs ?? 0
  }

  /** @throws {JournalError} when the disk does not take it */
  static create(folder: RunsFolder, { id, label, setup }: HoldMessage, origin: HeldOrigin): HeldRecord {
    const claimed = folder.create({ id, kind: 'held', label, startedMs: Date.now() })
    const { store } = claimed
    const whole: HeldOrigin = { ...origin, ...(setup === undefined ? {} : { setupUnits: setup.blobs }) }
    store.transaction(() => {
      store.putPart('held', Buffer.from(JSON.stringify(whole)))
      if (setup !== undefined) store.putPart('setup', setup.body)
    })
    return new HeldRecord(claimed)
  }

  /** How it stands as its last writer said, without a look at its results. @throws {JournalError} when it is damaged */
  static peek<T>(
    folder: RunsFolder,
    id: string,
    look: (record: HeldRecord, counts: { succeeded: number; failed: number }) => T
  ): T {
    const store = folder.read(id)
    try {
      const { succeeded = 0, failed = 0 } = store.status ?? {}
      return look(new HeldRecord({ store, release: () => undefined }), { succeeded, failed })
    } finally {
      store.close()
    }
  }

  /** To go on with it. @throws {JournalError} when it is damaged, or another process has it */
  static continue(folder: RunsFolder, id: string): Promise<HeldRecord> {
    return HeldRecord.#open(folder.continue(id))
  }

  /** To read its results. @throws {JournalError} when it is damaged */
  static read(folder: RunsFolder, id: string): Promise<HeldRecord> {
    const store = folder.read(id)
    return HeldRecord.#open({ store, release: () => store.close() })
  }

  static async #open(claimed: ClaimedStore): Promise<HeldRecord> {
    try {
      const record = new HeldRecord(claimed)
      await record.results.scan()
      return record
    } catch (error) {
      claimed.release()
      throw error
    }
  }

  get id(): string {
    return this.info.id
  }

  get stage(): RunStage {
    return this.#stage
  }

  /** Whether it came here completely: until then it is none. */
  get isComplete(): boolean {
    return this.#store.part('jobs') !== undefined
  }

  get jobs(): number {
    return this.#jobs
  }

  /** Why it failed. */
  get reason(): string {
    return this.#reason
  }

  /** Milliseconds since 1970, of the last write. */
  get updatedMs(): number {
    return this.#updatedMs
  }

  get setup(): { bytes: Uint8Array; units: readonly string[] } | undefined {
    const bytes = this.#store.part('setup')
    return bytes === undefined ? undefined : { bytes, units: this.origin.setupUnits ?? [] }
  }

  get taskSegments(): number {
    return this.#store.taskSegments
  }

  tasks(segment: number): StoredTask[] | undefined {
    return this.#store.tasks(segment)
  }

  /** @throws {JournalError} when it is not what was stored */
  blob(hash: string): Uint8Array | undefined {
    return this.#store.blob(hash)
  }

  putBlob(hash: string, bytes: Uint8Array): void {
    this.#store.putBlob(hash, bytes)
  }

  putTasks(tasks: readonly StoredTask[]): void {
    this.#store.appendTasks(tasks)
  }

  /** The run is all here: from now on it will be seen through. Returns when the disk has it. */
  complete(jobs: number): void {
    this.#jobs = jobs
    this.#durably(() => {
      this.#store.putPart('jobs', Buffer.from(JSON.stringify(jobs)))
      this.#store.putStatus(this.#status())
    })
  }

  append(settlements: readonly Settlement[]): void {
    this.results.append(settlements, (segment) => this.#store.appendOutcomes(segment, this.#status()))
  }

  /** Before jobs that may not run twice are sent: even a power cut does not make anybody forget it. */
  markStarted(jobs: readonly number[]): void {
    this.results.markStarted(jobs, (segment) =>
      this.#durably(() => this.#store.appendOutcomes(segment, this.#status()))
    )
  }

  end(stage: RunStage, reason = ''): void {
    this.#stage = stage
    this.#reason = reason
    this.#durably(() => {
      this.#store.putPart('reason', Buffer.from(JSON.stringify(reason)))
      this.#store.putStatus(this.#status())
    })
  }

  /** Brings to the disk what was appended: a power cut does not undo it. */
  flush(): void {
    this.#store.checkpoint()
  }

  close(): void {
    this.#release()
  }

  /** All of it or nothing, and on the disk when it returns; with it everything written before. */
  #durably(work: () => void): void {
    this.#store.durably(() => this.#store.transaction(work))
  }

  #status(): RunStatus {
    this.#updatedMs = Date.now()
    return {
      stage: this.#stage,
      succeeded: this.results.succeeded,
      failed: this.results.failed,
      total: this.#jobs,
      activeMs: this.#earlierMs + Math.round(performance.now() - this.#openedMs),
      updatedMs: this.#updatedMs
    }
  }
}

function readJson(store: RunStore, part: string): unknown {
  const bytes = store.part(part)
  return bytes === undefined ? undefined : (JSON.parse(Buffer.from(bytes).toString()) as unknown)
}
