import { hash } from 'node:crypto'
import { type CacheEntry, CacheStore } from '../../journal/cache-store.ts'
import { JournalError } from '../../journal/errors.ts'
import { NOTHING, OutcomeSegment, readOutcomes } from '../../journal/outcome-segment.ts'
import { JobError } from '../errors.ts'
import type { JobNames } from '../run/job-names.ts'
import type { PeerId } from '../link.ts'
import type { Remembered, RunMemory } from './run-memory.ts'
import type { Outcome } from '../run/task.ts'
import type { PrintedTask } from '../run/task-printer.ts'

/** Results wait for so long, or for so many bytes, before they are written together. */
const FLUSH_MS = 50
const FLUSH_BYTES = 1024 * 1024

export interface CacheParts {
  readonly names: JobNames
  readonly path: string
  readonly maxBytes: number
  readonly onWarning: (message: string) => void
}

/** Results of pure jobs that succeeded, from one run to the next. */
export class CacheMemory implements RunMemory {
  readonly isFull = true
  readonly #parts: CacheParts
  readonly #segment = new OutcomeSegment()
  #store: CacheStore | undefined
  #entries: CacheEntry[] = []
  #used: Uint8Array[] = []
  #bytes = 0
  #timer: NodeJS.Timeout | undefined

  constructor(parts: CacheParts) {
    this.#parts = parts
    this.#guard(() => (this.#store = CacheStore.open(parts.path, parts.maxBytes)))
  }

  recall(task: PrintedTask): Remembered | undefined {
    if (task.pure !== true || this.#store === undefined) return undefined
    const key = this.#key(task)
    const entry = this.#guard(() => this.#store?.get(key))
    const stored = entry === undefined ? undefined : readOutcomes(entry)[0]
    const body = stored === undefined ? undefined : this.#parts.names.toLive(task, stored.body)
    if (stored === undefined || body === undefined) return undefined
    this.#used.push(key)
    this.#flushSoon()
    const { peer, node, attempt, micros } = stored
    return { outcome: { job: task.index, attempt, ok: true, micros, body }, peer, node, from: 'cache' }
  }

  sending(): void {
    // Only what comes back matters.
  }

  settled(task: PrintedTask, outcome: Outcome | JobError, peer: PeerId, node: string): void {
    if (task.pure !== true || this.#store === undefined || outcome instanceof JobError || !outcome.ok) return
    const body = this.#parts.names.toStored(task, outcome.body)
    if (body === undefined) return
    const { attempt, micros } = outcome
    const stored = { index: 0, kind: 'ok', attempt, micros: Math.round(micros), peer, node, body } as const
    this.#segment.add({ ...stored, keyHead: '', keyTail: NOTHING })
    const entry = this.#segment.take()
    this.#entries.push({ key: this.#key(task), body: entry })
    this.#bytes += entry.length
    if (this.#bytes >= FLUSH_BYTES) this.#flush()
    else this.#flushSoon()
  }

  ended(): void {
    this.#flush()
    this.#store?.close()
    this.#store = undefined
  }

  #key(task: PrintedTask): Uint8Array {
    const { head, tail } = this.#parts.names.name(task)
    return hash('sha256', Buffer.concat([Buffer.from(`${head}\n`), tail]), 'buffer')
  }

  #flushSoon(): void {
    this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS)
  }

  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const [entries, used] = [this.#entries, this.#used]
    this.#entries = []
    this.#used = []
    this.#bytes = 0
    if (entries.length + used.length > 0) this.#guard(() => this.#store?.write(entries, used, Date.now()))
  }

  /** A cache that does not work is none: the run goes on without. */
  #guard<T>(work: () => T): T | undefined {
    try {
      return work()
    } catch (error) {
      if (!(error instanceof JournalError)) throw error
      this.#store?.close()
      this.#store = undefined
      this.#parts.onWarning(`the cache is not used: ${error.message}`)
      return undefined
    }
  }
}
