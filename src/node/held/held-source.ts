import { setImmediate as nextTurn } from 'node:timers/promises'
import type { StoredTask } from '../../journal/task-segment.ts'
import type { Printed } from '../../codec/print/print.ts'
import { JobError } from '../errors.ts'
import type { HeldRecord } from './held-record.ts'
import type { PrintedTask, TaskGroup } from '../run/task-printer.ts'
import type { TaskSink, TaskSource } from '../run/task-source.ts'

/** Segments looked through in one go: everything else waits meanwhile. */
const SEGMENTS_PER_TURN = 16

/** The jobs of a held run that have no result yet, from the holder's disk, a segment at a time. */
export class HeldSource implements TaskSource {
  readonly #record: HeldRecord
  readonly #self: { peer: string; node: string }
  readonly #onDamaged: (error: unknown) => void
  /** Tasks may share a batch when they have the very same group. */
  readonly #groups = new Map<string, TaskGroup>()
  readonly #checkedBlobs = new Set<string>()
  #segment = 0
  #buffer: readonly StoredTask[] = []
  #at = 0
  #setup: Printed | undefined

  /**
   * @param self id and name of this node
   * @param onDamaged called when a blob that was there is not any more
   */
  constructor(record: HeldRecord, self: { peer: string; node: string }, onDamaged: (error: unknown) => void) {
    this.#record = record
    this.#self = self
    this.#onDamaged = onDamaged
  }

  get id(): string {
    return this.#record.id
  }

  get setup(): Printed | undefined {
    return this.#setup
  }

  get total(): number {
    return this.#record.jobs
  }

  async open(): Promise<void> {
    this.#setup = this.#record.setup
    if (this.#setup !== undefined) this.#checkBlobs(this.#setup.units)
  }

  async read(count: number, sink: TaskSink): Promise<boolean> {
    const tasks: PrintedTask[] = []
    let isAtEnd = false
    while (tasks.length < count) {
      // Of a run that is almost done there may be a million to pass over.
      if (this.#at === this.#buffer.length && this.#segment % SEGMENTS_PER_TURN === 0) await nextTurn()
      const stored = this.#next()
      if (stored === undefined) {
        isAtEnd = true
        break
      }
      if (this.#record.results.isDone(stored.index)) continue
      if (!stored.idempotent && this.#record.results.isStarted(stored.index)) this.#lose(stored.index)
      else tasks.push(this.#task(stored))
    }
    const once = tasks.filter(({ idempotent }) => !idempotent).map(({ index }) => index)
    if (once.length > 0) this.#record.markStarted(once)
    if (tasks.length > 0) sink.add(tasks)
    return isAtEnd
  }

  blob(hash: string): Uint8Array {
    try {
      return this.#record.blob(hash) ?? new Uint8Array(0)
    } catch (error) {
      this.#onDamaged(error)
      return new Uint8Array(0)
    }
  }

  async close(): Promise<void> {
    this.#buffer = []
  }

  #next(): StoredTask | undefined {
    while (this.#at === this.#buffer.length) {
      if (this.#segment === this.#record.taskSegments) return undefined
      this.#segment++
      const tasks = this.#record.tasks(this.#segment)
      if (tasks === undefined) throw new Error(`the disk has lost some of the jobs of run ${this.id}`)
      this.#buffer = tasks
      this.#at = 0
    }
    return this.#buffer[this.#at++]
  }

  #task({ index, head, units, timeoutMs, retries, idempotent, body }: StoredTask): PrintedTask {
    this.#checkBlobs(head === undefined ? units : [head, ...units])
    return {
      index,
      group: this.#group(head, timeoutMs),
      body,
      units,
      bytes: body.length,
      idempotent,
      retriesLeft: retries,
      crashes: 0,
      failures: 0,
      attempt: 0,
      copies: [],
      settled: false
    }
  }

  #group(hash: string | undefined, timeoutMs: number): TaskGroup {
    const key = `${hash} ${timeoutMs}`
    let group = this.#groups.get(key)
    if (group === undefined) {
      group = { head: hash === undefined ? undefined : { hash, units: [] }, timeoutMs }
      this.#groups.set(key, group)
    }
    return group
  }

  /** Read once before anything needs them: later would be too late to say so. */
  #checkBlobs(hashes: readonly string[]): void {
    for (const hash of hashes) {
      if (this.#checkedBlobs.has(hash)) continue
      if (this.#record.blob(hash) === undefined) {
        throw new Error(`the disk has lost some of the code of run ${this.id}`)
      }
      this.#checkedBlobs.add(hash)
    }
  }

  /** It was sent before the holder was restarted, and nobody knows how far it came. */
  #lose(index: number): void {
    const outcome = new JobError(
      'JOB_LOST',
      `job ${index} was on its way when the node that holds the run was lost, and may not run twice`
    )
    this.#record.append([{ index, ...this.#self, outcome }])
  }
}
