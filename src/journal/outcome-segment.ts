import { SegmentBytes, SegmentReader } from './bytes.ts'

/**
 * - `ok`, `error`: how the job ended.
 * - `started`: a job that may not run twice is about to be sent.
 * - `moved`: this index has another job now. With a name: the result of the job of that name went with it.
 */
export type OutcomeKind = 'ok' | 'error' | 'started' | 'moved'

const KINDS: readonly OutcomeKind[] = ['ok', 'error', 'started', 'moved']

/** What is remembered of one job. */
export interface StoredOutcome {
  /** Number of the job in the input. */
  readonly index: number
  readonly kind: OutcomeKind
  readonly attempt: number
  /** Time inside the function. */
  readonly micros: number
  /** libp2p id, and name, of the node that ran it. */
  readonly peer: string
  readonly node: string
  /** Of errors of the mesh; none for what the job itself threw. */
  readonly code?: string
  /** Together the name of the job's content: code (shared by many), then arguments. */
  readonly keyHead: string
  readonly keyTail: Uint8Array
  readonly body: Uint8Array
}

export const NOTHING = new Uint8Array(0)

/** Collects outcomes for one segment: a row for each would cost more than a tiny job itself. */
export class OutcomeSegment {
  readonly #bytes = new SegmentBytes()
  #count = 0

  /** Bytes so far. */
  get length(): number {
    return this.#bytes.length
  }

  get count(): number {
    return this.#count
  }

  add(outcome: StoredOutcome): void {
    const bytes = this.#bytes
    this.#count++
    bytes.number(KINDS.indexOf(outcome.kind))
    bytes.number(outcome.index)
    bytes.number(outcome.attempt)
    bytes.number(outcome.micros)
    bytes.text(outcome.peer)
    bytes.text(outcome.node)
    bytes.text(outcome.code ?? '')
    bytes.text(outcome.keyHead)
    bytes.bytes(outcome.keyTail)
    bytes.bytes(outcome.body)
  }

  /** The segment, for `RunStore.appendOutcomes`; collecting begins anew. */
  take(): Uint8Array {
    this.#count = 0
    return this.#bytes.take()
  }
}

/** @throws {JournalError} `JOURNAL_DAMAGED` when it is not a segment */
export function readOutcomes(segment: Uint8Array): StoredOutcome[] {
  const reader = new SegmentReader(segment)
  const outcomes: StoredOutcome[] = []
  while (!reader.isAtEnd) {
    const kind = KINDS[reader.number()] ?? 'moved'
    const place = { index: reader.number(), kind, attempt: reader.number(), micros: reader.number() }
    const [peer, node, code, keyHead] = [reader.text(), reader.text(), reader.text(), reader.text()]
    const [keyTail, body] = [reader.bytes(), reader.bytes()]
    outcomes.push({ ...place, peer, node, ...(code === '' ? {} : { code }), keyHead, keyTail, body })
  }
  return outcomes
}
