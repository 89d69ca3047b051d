/**
 * One held run on the holder's disk: what it needs to be run, and the list of its results, to which is only ever added.
 * The place of a result in this list is its position; followers count by it.
 */
import type { ClaimedStore, RunsFolder } from '../journal/runs-folder.ts'
import { NOTHING, OutcomeSegment, readOutcomes, type StoredOutcome } from '../journal/outcome-segment.ts'
import type { RunInfo, RunStage, RunStatus, RunStore } from '../journal/run-store.ts'
import type { StoredTask } from '../journal/task-segment.ts'
import type { HoldMessage } from '../protocol/held-messages.ts'
import { MAX_CHUNK_RESULTS } from '../protocol/limits.ts'
import { JobError } from './errors.ts'
import { MAX_HELD_BODY_BYTES } from './held-limits.ts'
import { NumberSet } from './number-set.ts'
import type { Settlement } from './run.ts'

/** A segment is written when it has this many bytes, however many results are still to come. */
const SEGMENT_BYTES = 1024 * 1024

/** Segments looked at in one go when a record is opened: everything else waits meanwhile. */
const SEGMENTS_PER_TURN = 16

/** What is known of a held run beside what every run has. */
export interface HeldOrigin {
  /** Name and peer id of the node that handed it over. */
  readonly from: string
  readonly submitter: string
  readonly setupUnits?: readonly string[]
}

export type RecordedOutcome = StoredOutcome & { readonly kind: 'ok' | 'error' }

export class HeldRecord {
  readonly #store: RunStore
  readonly #release: () => void
  readonly #info: RunInfo
  readonly #origin: HeldOrigin
  /** How many results there are up to the end of each segment. */
  readonly #ends: number[] = []
  readonly #done = new NumberSet()
  readonly #started = new NumberSet()
  readonly #openedMs = Date.now()
  #earlierMs: number
  #updatedMs: number
  #jobs: number
  #succeeded = 0
  #failed = 0
  #resultBytes = 0
  #stage: RunStage
  #reason: string

  private constructor({ store, release }: ClaimedStore) {
    this.#store = store
    this.#release = release
    this.#info = store.info
    this.#origin = (readJson(store, 'held') as HeldOrigin | undefined) ?? { from: '', submitter: '' }
    this.#jobs = (readJson(store, 'jobs') as number | undefined) ?? 0
    this.#reason = (readJson(store, 'reason') as string | undefined) ?? ''
    const status = store.status
    this.#stage = status?.stage ?? 'open'
    this.#earlierMs = status?.activeMs ?? 0
    this.#succeeded = status?.succeeded ?? 0
    this.#failed = status?.failed ?? 0
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

  /** What its last writer said of it; nothing of its results. @throws {JournalError} when it is damaged */
  static peek<T>(folder: RunsFolder, id: string, look: (record: HeldRecord) => T): T {
    const store = folder.read(id)
    try {
      return look(new HeldRecord({ store, release: () => undefined }))
    } finally {
      store.close()
    }
  }

  /** To go on with it. @throws {JournalError} when it is damaged, or another process has it */
  static continue(folder: RunsFolder, id: string): Promise<HeldRecord> {
    return new HeldRecord(folder.continue(id)).#scan()
  }

  /** To read its results. @throws {JournalError} when it is damaged */
  static read(folder: RunsFolder, id: string): Promise<HeldRecord> {
    const store = folder.read(id)
    return new HeldRecord({ store, release: () => store.close() }).#scan()
  }

  get id(): string {
    return this.#info.id
  }

  get kind(): RunInfo['kind'] {
    return this.#info.kind
  }

  get label(): string {
    return this.#info.label
  }

  get origin(): HeldOrigin {
    return this.#origin
  }

  get startedMs(): number {
    return this.#info.startedMs
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

  get succeeded(): number {
    return this.#succeeded
  }

  get failed(): number {
    return this.#failed
  }

  get results(): number {
    return this.#ends.at(-1) ?? 0
  }

  /** Bytes of all results. */
  get resultBytes(): number {
    return this.#resultBytes
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
    return bytes === undefined ? undefined : { bytes, units: this.#origin.setupUnits ?? [] }
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
    this.#store.transaction(() => {
      this.#store.putPart('jobs', Buffer.from(JSON.stringify(jobs)))
      this.#store.putStatus(this.#status())
    })
    this.#store.sync()
  }

  isDone(job: number): boolean {
    return this.#done.has(job)
  }

  /** Whether a job that may not run twice was sent somewhere. */
  isStarted(job: number): boolean {
    return this.#started.has(job)
  }

  /** Adds to the list of results. */
  append(settlements: readonly Settlement[]): void {
    const segment = new OutcomeSegment()
    for (const settlement of settlements) {
      const outcome = storedOutcome(settlement)
      if (!this.#done.add(outcome.index)) continue
      this.#count(outcome)
      segment.add(outcome)
      if (segment.length >= SEGMENT_BYTES) this.#write(segment)
    }
    if (segment.count > 0) this.#write(segment)
  }

  /** Before jobs that may not run twice are sent: even a power cut does not make anybody forget it. */
  markStarted(jobs: readonly number[]): void {
    const segment = new OutcomeSegment()
    for (const index of jobs) {
      this.#started.add(index)
      segment.add({ index, kind: 'started', attempt: 1, micros: 0, peer: '', node: '', keyHead: '', keyTail: NOTHING, body: NOTHING }) // prettier-ignore
    }
    this.#store.appendOutcomes(segment.take(), this.#status())
    this.#ends.push(this.results)
    this.#store.sync()
  }

  end(stage: RunStage, reason = ''): void {
    this.#stage = stage
    this.#reason = reason
    this.#store.transaction(() => {
      this.#store.putPart('reason', Buffer.from(JSON.stringify(reason)))
      this.#store.putStatus(this.#status())
    })
    this.#store.sync()
  }

  /** The results from a position on: at least one if there is one, no more than fit a chunk. */
  read(position: number, maxBytes: number): RecordedOutcome[] {
    const taken: RecordedOutcome[] = []
    let bytes = 0
    for (let at = this.#segmentOf(position); at < this.#ends.length; at++) {
      const first = at === 0 ? 0 : this.#ends[at - 1]!
      if (this.#ends[at] === first) continue
      const results = this.#results(at).slice(Math.max(0, position - first))
      for (const result of results) {
        bytes += result.body.length
        if (taken.length > 0 && (bytes > maxBytes || taken.length === MAX_CHUNK_RESULTS)) return taken
        taken.push(result)
      }
    }
    return taken
  }

  close(): void {
    this.#release()
  }

  #segmentOf(position: number): number {
    let [low, high] = [0, this.#ends.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#ends[middle]! > position) high = middle
      else low = middle + 1
    }
    return low
  }

  /** Where the disk has lost a segment its results are missing: their jobs are run again. */
  #results(at: number): RecordedOutcome[] {
    const segment = this.#store.outcomeSegment(at + 1)
    return segment === undefined ? [] : readOutcomes(segment).filter(isResult)
  }

  async #scan(): Promise<this> {
    this.#succeeded = 0
    this.#failed = 0
    const segments = this.#store.outcomeSegments
    for (let at = 0; at < segments; at++) {
      const segment = this.#store.outcomeSegment(at + 1)
      for (const outcome of segment === undefined ? [] : readOutcomes(segment)) {
        if (!isResult(outcome)) this.#started.add(outcome.index)
        else if (this.#done.add(outcome.index)) this.#count(outcome)
      }
      this.#ends.push(this.#succeeded + this.#failed)
      if (at % SEGMENTS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    return this
  }

  #count({ kind, body }: StoredOutcome): void {
    if (kind === 'ok') this.#succeeded++
    else this.#failed++
    this.#resultBytes += body.length
  }

  #write(segment: OutcomeSegment): void {
    this.#ends.push(this.results + segment.count)
    this.#store.appendOutcomes(segment.take(), this.#status())
  }

  #status(): RunStatus {
    const now = Date.now()
    this.#updatedMs = now
    return {
      stage: this.#stage,
      succeeded: this.#succeeded,
      failed: this.#failed,
      total: this.#jobs,
      activeMs: this.#earlierMs + now - this.#openedMs,
      updatedMs: now
    }
  }
}

function isResult(outcome: StoredOutcome): outcome is RecordedOutcome {
  return outcome.kind === 'ok' || outcome.kind === 'error'
}

function storedOutcome({ index, peer, node, outcome }: Settlement): StoredOutcome {
  const place = { index, peer, node, keyHead: '', keyTail: NOTHING }
  if (outcome instanceof JobError) {
    const body = new TextEncoder().encode(outcome.message)
    return { ...place, kind: 'error', attempt: 1, micros: 0, code: outcome.code, body }
  }
  if (outcome.body.length > MAX_HELD_BODY_BYTES)
    return storedOutcome({ index, peer, node, outcome: tooLarge(index) })
  const { ok, attempt, micros, code, body } = outcome
  const kind = ok ? 'ok' : 'error'
  return {
    ...place,
    kind,
    attempt,
    micros: Math.round(micros),
    ...(code === undefined ? {} : { code }),
    body
  }
}

function tooLarge(index: number): JobError {
  const mib = MAX_HELD_BODY_BYTES / 1024 ** 2
  return new JobError(
    'RESULT_TOO_LARGE',
    `what job ${index} returned has more than the ${mib} MiB a held run may keep of one job`
  )
}

function readJson(store: RunStore, part: string): unknown {
  const bytes = store.part(part)
  return bytes === undefined ? undefined : (JSON.parse(Buffer.from(bytes).toString()) as unknown)
}
