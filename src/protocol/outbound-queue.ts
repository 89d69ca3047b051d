import type { Encoded } from './encode.ts'
import { MAX_ACTIVE_TRANSFERS, MAX_OPEN_TRANSFER_BYTES, PART_BYTES } from './limits.ts'
import type { Message } from './messages.ts'
import { OutgoingTransfer } from './parts.ts'

/** What a queued message means for the others of its run. */
type Rank = 'urgent' | 'plain' | 'needed' | 'job' | 'final'

const RANKS: Record<Message['type'], Rank> = {
  hello: 'urgent',
  peers: 'urgent',
  ping: 'urgent',
  pong: 'urgent',
  goodbye: 'urgent',
  credit: 'urgent',
  recall: 'urgent',
  recalled: 'urgent',
  'run-open': 'needed',
  hold: 'needed',
  blob: 'needed',
  jobs: 'job',
  'run-close': 'final',
  'hold-end': 'final',
  cancel: 'final',
  log: 'plain',
  held: 'plain',
  'find-runs': 'plain',
  'found-runs': 'plain',
  follow: 'plain',
  followed: 'plain',
  chunk: 'plain',
  taken: 'plain',
  results: 'plain'
}

/** What a queued frame takes in memory beside its bytes, about. */
const ENTRY_BYTES = 256

interface Entry {
  readonly encoded: Encoded
  readonly rank: Rank
  readonly run: number
}

interface ActiveTransfer {
  readonly transfer: OutgoingTransfer
  readonly entry: Entry
}

/** Transfers of a run that later messages of it have to wait for, and those that wait. */
interface RunOrder {
  needed: number
  jobs: number
  readonly waiting: Entry[]
}

/** One frame to sign and write: whole, or a part whose body stays where it is. */
export type Outgoing =
  | { readonly type: number; readonly frame: Buffer }
  | { readonly head: Buffer; readonly bytes: Uint8Array }

/**
 * Decides what is written next. Urgent messages overtake everything; small ones keep their order; large ones travel in
 * parts, in turn, between small ones. What a run needs (its opening, its blobs) arrives before its jobs, and its end
 * after them, whatever their sizes; jobs and results may otherwise overtake larger ones.
 */
export class OutboundQueue {
  readonly #urgent: Entry[] = []
  readonly #ordered: Entry[] = []
  /** Consumed entries at the front of `#ordered`: shifting one by one would be slow for a long queue. */
  #orderedAt = 0
  readonly #starting: Entry[] = []
  readonly #active: ActiveTransfer[] = []
  readonly #runs = new Map<number, RunOrder>()
  #nextTransfer = 0
  #activeBytes = 0
  #bytes = 0
  #answerBytes = 0

  /** Bytes of everything queued. */
  get bytes(): number {
    return this.#bytes
  }

  /** What small frames that nobody asked us to hold back cost: answers, results, lines of output. */
  get answerBytes(): number {
    return this.#answerBytes
  }

  push(message: Message, encoded: readonly Encoded[]): void {
    const rank = RANKS[message.type]
    const run = 'run' in message ? message.run : 0
    for (const one of encoded) {
      this.#bytes += bytesOf(one)
      this.#answerBytes += answerBytesOf(one, rank)
      this.#admit({ encoded: one, rank, run })
    }
  }

  /** Small frames that may be written now, at most about `maxBytes` of them, urgent ones first. */
  takeFrames(maxBytes: number): Outgoing[] {
    const taken: Outgoing[] = []
    let bytes = 0
    while (bytes < maxBytes) {
      const entry = this.#urgent.shift() ?? this.#shiftOrdered()
      if (entry === undefined) break
      const { encoded } = entry
      if (encoded.kind === 'transfer') {
        // Its first part leaves when everything sent before it has left.
        this.#starting.push(entry)
        continue
      }
      bytes += encoded.frame.byteLength
      this.#answerBytes -= answerBytesOf(encoded, entry.rank)
      taken.push({ type: encoded.type, frame: encoded.frame })
    }
    this.#bytes -= bytes
    return taken
  }

  /** Parts of transfers, each in its turn, at most `maxBytes` of them. */
  takeParts(maxBytes: number): Outgoing[] {
    const taken: Outgoing[] = []
    for (let bytes = 0; bytes + PART_BYTES <= maxBytes; bytes += PART_BYTES) {
      this.#activate()
      const active = this.#active.shift()
      if (active === undefined) break
      const { transfer, entry } = active
      const part = transfer.next()
      this.#bytes -= part.bytes.byteLength
      taken.push(part)
      if (transfer.remainingBytes > 0) this.#active.push(active)
      else this.#finish(transfer, entry)
    }
    return taken
  }

  #admit(entry: Entry): void {
    if (entry.rank === 'urgent' && entry.encoded.kind === 'frame') {
      this.#urgent.push(entry)
      return
    }
    const order = entry.rank === 'plain' || entry.rank === 'urgent' ? undefined : this.#runs.get(entry.run)
    if (order !== undefined && mustWait(order, entry)) {
      order.waiting.push(entry)
      return
    }
    if (entry.encoded.kind === 'transfer') this.#count(entry)
    this.#ordered.push(entry)
  }

  #count({ rank, run }: Entry): void {
    if (rank !== 'needed' && rank !== 'job') return
    const order = this.#runs.get(run) ?? { needed: 0, jobs: 0, waiting: [] }
    this.#runs.set(run, order)
    if (rank === 'needed') order.needed++
    else order.jobs++
  }

  #finish(transfer: OutgoingTransfer, { rank, run }: Entry): void {
    this.#activeBytes -= transfer.bytes
    const order = this.#runs.get(run)
    if (order === undefined || (rank !== 'needed' && rank !== 'job')) return
    if (rank === 'needed') order.needed--
    else order.jobs--
    if (order.needed === 0 && order.jobs === 0) this.#runs.delete(run)
    const waiting = order.waiting.splice(0)
    for (const entry of waiting) this.#admit(entry)
  }

  #activate(): void {
    while (this.#active.length < MAX_ACTIVE_TRANSFERS) {
      const entry = this.#starting[0]
      if (entry === undefined || entry.encoded.kind !== 'transfer') return
      const { type, pieces, bytes } = entry.encoded
      if (this.#active.length > 0 && this.#activeBytes + bytes > MAX_OPEN_TRANSFER_BYTES) return
      this.#starting.shift()
      this.#activeBytes += bytes
      this.#nextTransfer = (this.#nextTransfer + 1) % 0x1_0000_0000
      this.#active.push({ transfer: new OutgoingTransfer(this.#nextTransfer, type, pieces, bytes), entry })
    }
  }

  #shiftOrdered(): Entry | undefined {
    const entry = this.#ordered[this.#orderedAt]
    if (entry === undefined) return undefined
    this.#orderedAt++
    if (this.#orderedAt >= 1024 || this.#orderedAt === this.#ordered.length) {
      this.#ordered.splice(0, this.#orderedAt)
      this.#orderedAt = 0
    }
    return entry
  }
}

function mustWait(order: RunOrder, entry: Entry): boolean {
  return order.waiting.length > 0 || order.needed > 0 || (order.jobs > 0 && entry.rank === 'final')
}

function answerBytesOf(encoded: Encoded, rank: Rank): number {
  const isAnswer = encoded.kind === 'frame' && (rank === 'urgent' || rank === 'plain')
  return isAnswer ? encoded.frame.byteLength + ENTRY_BYTES : 0
}

function bytesOf(encoded: Encoded): number {
  return encoded.kind === 'frame' ? encoded.frame.byteLength : encoded.bytes
}
