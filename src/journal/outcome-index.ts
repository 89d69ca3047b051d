import { crc32 } from 'node:zlib'
import { type OutcomeKind, readOutcomes, type StoredOutcome } from './outcome-segment.ts'
import type { RunStore } from './run-store.ts'

const NONE = -1

/** Decoded segments kept: results are looked up in about the order in which they were written. */
const KEPT_SEGMENTS = 8

/**
 * Finds what a store remembers of a job, by its index and its name. A few numbers for each record, whatever results weigh.
 *
 * The records of one index are those of the jobs it had while the input changed; the newest is the one it has now. An
 * older one waits for its job to come up under another index, until a newer one of the same job replaces it.
 */
export class OutcomeIndex {
  /** Segments that cannot be read. What was in them is not known. */
  readonly damaged: number
  readonly #store: RunStore
  readonly #segment: number[] = []
  readonly #row: number[] = []
  readonly #hash: number[] = []
  readonly #index: number[] = []
  readonly #kind: OutcomeKind[] = []
  /** Taken in this process, or replaced. */
  readonly #isGone: boolean[] = []
  /** The record before with the same index, and with the same hash. */
  readonly #earlier: number[] = []
  readonly #alike: number[] = []
  readonly #lastOfIndex: number[] = []
  readonly #lastOfHash = new Map<number, number>()
  /** What each index has now. */
  readonly #current: number[] = []
  readonly #headSums = new Map<string, number>()
  readonly #segments = new Map<number, readonly StoredOutcome[]>()

  /** Reads the whole store. */
  constructor(store: RunStore) {
    this.#store = store
    const damagedUpTo = store.damagedUpTo
    let damaged = damagedUpTo === 0 ? 0 : 1
    for (let number = 1, last = store.outcomeSegments; number <= last; number++) {
      const segment = store.outcomeSegment(number)
      if (segment !== undefined) this.#add(number, readOutcomes(segment))
      else {
        damaged++
        this.#forgetErrors()
      }
      if (number === damagedUpTo) this.#forgetErrors()
    }
    this.damaged = damaged
    for (let index = 0; index < this.#lastOfIndex.length; index++) this.#chain(index)
  }

  /** How many results of a kind the jobs have now. */
  count(kind: OutcomeKind): number {
    let count = 0
    for (let index = 0; index < this.end; index++) if (this.kindAt(index) === kind) count++
    return count
  }

  /** One more than the highest index. */
  get end(): number {
    return this.#current.length
  }

  kindAt(index: number): OutcomeKind | undefined {
    const record = this.#current[index] ?? NONE
    return record === NONE ? undefined : this.#kind[record]
  }

  /** What an index has now. */
  at(index: number): StoredOutcome | undefined {
    const record = this.#current[index] ?? NONE
    return record === NONE ? undefined : this.#read(record)
  }

  /** What the indexes have now, in the order in which it came. */
  *inOrder(): Generator<StoredOutcome> {
    for (let record = 0; record < this.#segment.length; record++) {
      if (this.#current[this.#index[record]!] === record) yield this.#read(record)
    }
  }

  /**
   * What is remembered of a job of that name: at its index, else at another, where the input has changed or equal jobs
   * have finished in another order. Nothing is given out twice.
   */
  take(index: number, keyHead: string, keyTail: Uint8Array): StoredOutcome | undefined {
    const isFree = (record: number): boolean => this.#isFree(record, keyHead, keyTail)
    const hash = this.#sum(keyHead, keyTail)
    let record = find(this.#lastOfIndex[index], this.#earlier, isFree)
    // From the highest index down: jobs that come later look for a record at their own first.
    if (record === NONE) record = find(this.#lastOfHash.get(hash), this.#alike, isFree)
    if (record === NONE) {
      this.#dropGone(hash)
      return undefined
    }
    this.#isGone[record] = true
    return this.#read(record)
  }

  /** The index has another job now. */
  forget(index: number): void {
    this.#current[index] = NONE
  }

  #add(segment: number, outcomes: readonly StoredOutcome[]): void {
    for (const [row, { index, kind, keyHead, keyTail }] of outcomes.entries()) {
      const hash = this.#sum(keyHead, keyTail)
      const replaced = find(this.#lastOfIndex[index], this.#earlier, (record) => this.#hash[record] === hash)
      if (replaced !== NONE) this.#isGone[replaced] = true
      if (kind === 'moved') {
        // A result that went elsewhere may have made room for another before.
        if (keyHead === '' || this.#current[index] === replaced) this.forget(index)
        continue
      }
      const record = this.#segment.length
      this.#segment.push(segment)
      this.#row.push(row)
      this.#hash.push(hash)
      this.#index.push(index)
      this.#kind.push(kind)
      this.#isGone.push(false)
      this.#alike.push(NONE)
      this.#earlier.push(this.#lastOfIndex[index] ?? NONE)
      this.#lastOfIndex[index] = record
      this.#current[index] = record
    }
  }

  /** A newer, better result may have been in what is lost. */
  #forgetErrors(): void {
    for (const [record, kind] of this.#kind.entries()) {
      if (kind !== 'error') continue
      this.#isGone[record] = true
      if (this.#current[this.#index[record]!] === record) this.forget(this.#index[record]!)
    }
  }

  #chain(index: number): void {
    for (let record = this.#lastOfIndex[index] ?? NONE; record !== NONE; record = this.#earlier[record]!) {
      if (this.#isGone[record]) continue
      const hash = this.#hash[record]!
      this.#alike[record] = this.#lastOfHash.get(hash) ?? NONE
      this.#lastOfHash.set(hash, record)
    }
  }

  /** When all of many equal jobs are taken, the next need not look at each again. */
  #dropGone(hash: number): void {
    const first = find(this.#lastOfHash.get(hash), this.#alike, (record) => !this.#isGone[record])
    if (first === NONE) this.#lastOfHash.delete(hash)
    else this.#lastOfHash.set(hash, first)
  }

  #isFree(record: number, keyHead: string, keyTail: Uint8Array): boolean {
    if (this.#isGone[record] || this.#hash[record] !== this.#sum(keyHead, keyTail)) return false
    const outcome = this.#read(record)
    return outcome.keyHead === keyHead && Buffer.compare(outcome.keyTail, keyTail) === 0
  }

  #read(record: number): StoredOutcome {
    const number = this.#segment[record]!
    let outcomes = this.#segments.get(number)
    if (outcomes === undefined) {
      outcomes = readOutcomes(this.#store.outcomeSegment(number)!)
      if (this.#segments.size === KEPT_SEGMENTS) this.#segments.delete(this.#segments.keys().next().value!)
      this.#segments.set(number, outcomes)
    }
    return outcomes[this.#row[record]!]!
  }

  #sum(keyHead: string, keyTail: Uint8Array): number {
    let start = this.#headSums.get(keyHead)
    if (start === undefined) this.#headSums.set(keyHead, (start = crc32(keyHead)))
    return crc32(keyTail, start)
  }
}

/** The first of a chain that is wanted. */
function find(
  start: number | undefined,
  next: readonly number[],
  isWanted: (record: number) => boolean
): number {
  for (let record = start ?? NONE; record !== NONE; record = next[record]!) {
    if (isWanted(record)) return record
  }
  return NONE
}
