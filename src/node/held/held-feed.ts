import type { ChunkMessage } from '../../protocol/held-messages.ts'
import { CHUNK_BYTES, MAX_WAITING_BYTES } from './held-limits.ts'
import { HeldOutflow } from './held-outflow.ts'
import type { RecordedOutcome } from './held-outcome.ts'
import type { HeldRun } from './held-run.ts'
import type { Link } from '../link.ts'

/** Counts and state go to a follower this often at most. */
const STATUS_EVERY_MS = 250

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
    this.#statusTimer ??= setTimeout(() => this.#sendStatus(), STATUS_EVERY_MS).unref()
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
