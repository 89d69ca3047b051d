import type { ChunkMessage } from '../../protocol/held-messages.ts'
import { CHUNK_BYTES, FOLLOW_WINDOW_BYTES, MAX_WAITING_BYTES } from './held-limits.ts'
import type { RecordedOutcome } from './held-results.ts'
import type { HeldRun } from './held-run.ts'
import type { Link } from '../link.ts'

/** Counts and state go to a follower this often at most. */
const STATUS_EVERY_MS = 250

/**
 * How much of a run's results may be under way to one follower. Runs in the holder. A follower that takes nothing costs
 * one window, however many results there are: the rest stays on the disk.
 */
export class HeldOutflow {
  /** Chunks that were sent and not taken. */
  readonly #underWay: { readonly end: number; readonly bytes: number }[] = []
  #next: number
  #bytes = 0

  constructor(position: number) {
    this.#next = position
  }

  /** Position of the first result that was not sent. */
  get next(): number {
    return this.#next
  }

  /** Whether a chunk of this size may leave now; one that is larger than the window travels alone. */
  maySend(bytes: number): boolean {
    return this.#underWay.length === 0 || this.#bytes + bytes <= FOLLOW_WINDOW_BYTES
  }

  /** Whether it is worth reading another chunk. */
  get hasRoom(): boolean {
    return this.#bytes + CHUNK_BYTES <= FOLLOW_WINDOW_BYTES
  }

  onSent(results: number, bytes: number): void {
    this.#next += results
    this.#bytes += bytes
    this.#underWay.push({ end: this.#next, bytes })
  }

  /** The follower has used everything before this position. Positions it never got count for nothing. */
  onTaken(position: number): void {
    while (this.#underWay.length > 0 && this.#underWay[0]!.end <= position) {
      this.#bytes -= this.#underWay.shift()!.bytes
    }
  }
}

/** What one follower gets of one held run: read from the disk as it takes it. Runs in the holder. */
export class HeldFeed {
  readonly #link: Link
  readonly #number: number
  readonly #held: HeldRun
  readonly #outflow: HeldOutflow
  readonly #unwatch: () => void
  #statusTimer: NodeJS.Timeout | undefined
  #isWaiting = false
  #isClosed = false

  constructor(link: Link, number: number, held: HeldRun, position: number) {
    this.#link = link
    this.#number = number
    this.#held = held
    this.#outflow = new HeldOutflow(position)
    this.#unwatch = held.watch(() => this.#onNews())
    this.#sendStatus()
    this.#pump()
  }

  get held(): HeldRun {
    return this.#held
  }

  onTaken(position: number): void {
    this.#outflow.onTaken(position)
    this.#pump()
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#statusTimer)
    this.#unwatch()
  }

  /** A file that cannot be read any more is no run any more; whatever is wrong with it ends nothing else. */
  #read(): RecordedOutcome[] {
    try {
      return this.#held.record.results.read(this.#outflow.next, CHUNK_BYTES)
    } catch {
      this.close()
      this.#link.send({ type: 'followed', run: this.#number })
      return []
    }
  }

  #onNews(): void {
    this.#sendStatusLater()
    this.#pump()
  }

  #sendStatusLater(): void {
    this.#statusTimer ??= setTimeout(() => this.#sendStatus(), STATUS_EVERY_MS)
  }

  #sendStatus(): void {
    this.#statusTimer = undefined
    // A newer one later is worth as much to a peer that does not read now.
    if (this.#link.queuedBytes > MAX_WAITING_BYTES) return this.#sendStatusLater()
    this.#link.send({ type: 'followed', run: this.#number, status: this.#held.status })
  }

  #pump(): void {
    while (!this.#isClosed && !this.#isWaiting && this.#outflow.hasRoom) {
      if (this.#link.queuedBytes > MAX_WAITING_BYTES) return void this.#waitForLink()
      const results = this.#read()
      const bytes = results.reduce((sum, { body }) => sum + body.length, 0)
      if (results.length === 0 || !this.#outflow.maySend(bytes)) return
      this.#send(results)
      this.#outflow.onSent(results.length, bytes)
    }
  }

  #send(results: readonly RecordedOutcome[]): void {
    const places = placesOf(results)
    this.#link.send({ type: 'chunk', run: this.#number, position: this.#outflow.next, places })
    this.#link.send({
      type: 'results',
      run: this.#number,
      results: results.map(({ index, attempt, kind, code, micros, body }) => {
        const outcome = { job: index, attempt, ok: kind === 'ok', micros, body }
        return code === undefined ? outcome : { ...outcome, code }
      })
    })
  }

  async #waitForLink(): Promise<void> {
    this.#isWaiting = true
    await this.#link.drained()
    this.#isWaiting = false
    this.#pump()
  }
}

function placesOf(results: readonly RecordedOutcome[]): ChunkMessage['places'] {
  const places = new Map<string, { id: string; name: string; jobs: number[] }>()
  for (const { index, peer, node } of results) {
    let place = places.get(peer)
    if (place === undefined) places.set(peer, (place = { id: peer, name: node, jobs: [] }))
    place.jobs.push(index)
  }
  return [...places.values()]
}
