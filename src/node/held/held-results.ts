/**
 * The list of results of a held run, to which is only ever added. The place of a result in it is its position; followers
 * count by it. On the disk the list is cut into segments, as they were written.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { NOTHING, OutcomeSegment, readOutcomes, type StoredOutcome } from '../../journal/outcome-segment.ts'
import type { RunStore } from '../../journal/run-store.ts'
import { MAX_CHUNK_RESULTS, MAX_LISTED_PEERS } from '../../protocol/limits.ts'
import { JobError } from '../errors.ts'
import { MAX_HELD_BODY_BYTES, ROW_BYTES } from './held-limits.ts'
import { NumberSet } from './number-set.ts'
import type { Settlement } from '../run/run.ts'

/** A segment is written when it has this many bytes, however many results are still to come. */
const SEGMENT_BYTES = 1024 * 1024

/** Segments looked at in one go when a run is opened: everything else waits meanwhile. */
const SEGMENTS_PER_TURN = 16

export type RecordedOutcome = StoredOutcome & { readonly kind: 'ok' | 'error' }

export class HeldResults {
  readonly #store: RunStore
  /** How many results there are up to the end of each segment. */
  readonly #ends: number[] = []
  readonly #done = new NumberSet()
  readonly #started = new NumberSet()
  #hasGap = false
  #counts = { succeeded: 0, failed: 0, bytes: 0 }

  constructor(store: RunStore) {
    this.#store = store
  }

  get count(): number {
    return this.#ends.at(-1) ?? 0
  }

  get succeeded(): number {
    return this.#counts.succeeded
  }

  get failed(): number {
    return this.#counts.failed
  }

  /** Of all of them. */
  get bytes(): number {
    return this.#counts.bytes
  }

  isDone(job: number): boolean {
    return this.#done.has(job)
  }

  /** Whether a job that may not run twice was sent somewhere; where the disk has lost something, nobody knows of any. */
  isStarted(job: number): boolean {
    return this.#hasGap || this.#started.has(job)
  }

  /** Looks through what the disk has. Where it has lost a segment, results are missing: their jobs are run again. */
  async scan(): Promise<void> {
    const segments = this.#store.outcomeSegments
    for (let at = 0; at < segments; at++) {
      const segment = this.#store.outcomeSegment(at + 1)
      if (segment === undefined) this.#hasGap = true
      for (const outcome of segment === undefined ? [] : readOutcomes(segment)) {
        if (!isResult(outcome)) this.#started.add(outcome.index)
        else if (this.#done.add(outcome.index)) this.#count(outcome)
      }
      this.#ends.push(this.succeeded + this.failed)
      if (at % SEGMENTS_PER_TURN === 0) await nextTurn()
    }
  }

  /** @param write puts a segment onto the disk; what it does not take does not count */
  append(settlements: readonly Settlement[], write: (segment: Uint8Array) => void): void {
    const segment = new OutcomeSegment()
    let before = { ...this.#counts }
    const flush = (): void => {
      try {
        write(segment.take())
      } catch (error) {
        this.#counts = before
        throw error
      }
      before = { ...this.#counts }
      this.#ends.push(this.succeeded + this.failed)
    }
    for (const settlement of settlements) {
      const outcome = storedOutcome(settlement)
      if (!this.#done.add(outcome.index)) continue
      this.#count(outcome)
      segment.add(outcome)
      if (segment.length >= SEGMENT_BYTES) flush()
    }
    if (segment.count > 0) flush()
  }

  /** @param write puts a segment onto the disk */
  markStarted(jobs: readonly number[], write: (segment: Uint8Array) => void): void {
    const segment = new OutcomeSegment()
    for (const job of jobs) {
      this.#started.add(job)
      segment.add(startedOutcome(job))
    }
    write(segment.take())
    this.#ends.push(this.count)
  }

  /** The results from a position on: at least one if there is one, no more than fit a chunk. */
  read(position: number, maxBytes: number): RecordedOutcome[] {
    const taken: RecordedOutcome[] = []
    const peers = new Set<string>()
    let bytes = 0
    for (let at = this.#segmentOf(position); at < this.#ends.length; at++) {
      const first = at === 0 ? 0 : this.#ends[at - 1]!
      if (this.#ends[at] === first) continue
      for (const result of this.#segment(at).slice(Math.max(0, position - first))) {
        bytes += result.body.length
        peers.add(result.peer)
        const isFull = bytes > maxBytes || taken.length === MAX_CHUNK_RESULTS || peers.size > MAX_LISTED_PEERS
        if (isFull && taken.length > 0) return taken
        taken.push(result)
      }
    }
    return taken
  }

  #segment(at: number): RecordedOutcome[] {
    const segment = this.#store.outcomeSegment(at + 1)
    return segment === undefined ? [] : readOutcomes(segment).filter(isResult)
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

  #count({ kind, body }: StoredOutcome): void {
    if (kind === 'ok') this.#counts.succeeded++
    else this.#counts.failed++
    this.#counts.bytes += body.length + ROW_BYTES
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

/** Says that a job is about to be sent. */
function startedOutcome(index: number): StoredOutcome {
  const nobody = { peer: '', node: '', keyHead: '', keyTail: NOTHING, body: NOTHING }
  return { index, kind: 'started', attempt: 1, micros: 0, ...nobody }
}
