/**
 * A run as a timeline in the Chrome trace format, which https://ui.perfetto.dev opens: a process for the run, with what was
 * sent, peers that come and go, and how many jobs are done; and one for each node, with its slots as threads, the jobs on
 * them, and batches on their way.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { DistNode, JobsSent, ResultsPassed } from '../../index.ts'
import { log } from '../log.ts'
import { OutputFile } from '../output-file.ts'
import { Lanes } from './lanes.ts'

interface Peer {
  readonly pid: number
  /** Thread whose events are batches on their way. */
  readonly batches: number
  /** Threads of its slots, as far as they have been used. */
  readonly slots: number[]
  readonly lanes: Lanes
}

interface Batch {
  readonly number: number
  readonly peer: Peer
  /** Microseconds since the beginning. */
  readonly sentAt: number
  left: number
}

export class TraceFile implements AsyncDisposable {
  readonly #file: OutputFile
  readonly #node: DistNode
  readonly #startedMs = performance.now()
  readonly #peers = new Map<string, Peer>()
  /** Batches on their way, by peer, job and attempt. */
  readonly #batches = new Map<string, Batch>()
  readonly #run: number
  readonly #peerEvents: number
  readonly #sends: number
  #numbers = 0
  #batchCount = 0
  #done = 0
  #failed = 0
  #first = true

  private constructor(file: OutputFile, node: DistNode, title: string) {
    this.#file = file
    this.#node = node
    file.write('{"displayTimeUnit":"ms","traceEvents":[')
    this.#run = this.#process(`${title} from ${node.name}`, 0)
    this.#peerEvents = this.#thread(this.#run, 'peers', 0)
    this.#sends = this.#thread(this.#run, 'sent', 1)
    subscribe('dist-node:jobs-sent', this.#onSent)
    subscribe('dist-node:results-received', this.#onReceived)
    node.on('peer-joined', ({ name }) => this.#instant(`+ ${name}`))
    node.on('peer-left', ({ name }, reason) => this.#instant(`- ${name}: ${reason}`))
    node.on('warning', (message) => this.#instant(message))
  }

  /** @throws {ExitError} when the file cannot be written */
  static async open(path: string, node: DistNode, title: string): Promise<TraceFile> {
    return new TraceFile(await OutputFile.open(path), node, title)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    unsubscribe('dist-node:jobs-sent', this.#onSent)
    unsubscribe('dist-node:results-received', this.#onReceived)
    // Of peers that were lost, or had to give jobs back.
    for (const batch of new Set(this.#batches.values()))
      this.#batch('e', batch, this.#now(), { unanswered: batch.left })
    this.#file.write('\n]}\n')
    // A run is not to be lost for the sake of its picture.
    await this.#file
      .close()
      .catch((error: Error) => log.warn(`the timeline is not complete: ${error.message}`))
  }

  readonly #onSent = (message: unknown): void => {
    const { peer, node, label, jobs, bytes } = message as JobsSent
    const number = ++this.#batchCount
    const ts = this.#now()
    const batch: Batch = { number, peer: this.#peer(peer, node), sentAt: ts, left: jobs.length }
    for (const { job, attempt } of jobs) this.#batches.set(`${peer} ${job} ${attempt}`, batch)
    const name = `${jobs.length} job${jobs.length === 1 ? '' : 's'} to ${node}`
    const args = { run: label, jobs: jobs.length, argumentBytes: bytes }
    const place = { pid: this.#run, tid: this.#sends, ts, dur: 0 }
    this.#write({ ph: 'X', cat: 'sent', name, ...place, ...arrow('flow_out', batch), args })
    this.#batch('b', batch, ts, args)
  }

  readonly #onReceived = (message: unknown): void => {
    const { peer, node, results } = message as ResultsPassed
    const known = this.#peer(peer, node)
    const slices = known.lanes.place(
      results.map(({ ms }) => ms),
      performance.now(),
      this.#slotsOf(peer)
    )
    for (const [at, { job, attempt, ok, code, ms, bytes }] of results.entries()) {
      const { lane, startMs, endMs } = slices[at]!
      const key = `${peer} ${job} ${attempt}`
      const batch = this.#batches.get(key)
      // Each end is rounded by itself, so that what lies behind one another never overlaps.
      const end = this.#micros(endMs)
      const ts = Math.min(end, Math.max(this.#micros(startMs), batch?.sentAt ?? 0))
      this.#write({
        ph: 'X',
        cat: 'job',
        name: ok ? `job ${job}` : `job ${job} failed`,
        pid: known.pid,
        tid: this.#slot(known, lane),
        ts,
        dur: end - ts,
        ...(ok ? {} : { cname: 'terrible' }),
        ...(batch === undefined ? {} : arrow('flow_in', batch)),
        args: { job, attempt, ms, resultBytes: bytes, ...(code === undefined ? {} : { code }) }
      })
      this.#settle(key)
      if (ok) this.#done++
      else this.#failed++
    }
    const args = { done: this.#done, failed: this.#failed }
    this.#write({ ph: 'C', name: 'jobs', pid: this.#run, tid: this.#peerEvents, ts: this.#now(), args })
  }

  #settle(key: string): void {
    const batch = this.#batches.get(key)
    if (batch === undefined) return
    this.#batches.delete(key)
    if (--batch.left === 0) this.#batch('e', batch, this.#now())
  }

  /** From here to its last answer; all are of one name, because viewers make a track of each name. */
  #batch(ph: 'b' | 'e', { number: id, peer }: Batch, ts: number, args?: object): void {
    const { pid, batches: tid } = peer
    this.#write({ ph, cat: 'batch', id, name: 'batch', pid, tid, ts, args })
  }

  #peer(id: string, name: string): Peer {
    const known = this.#peers.get(id)
    if (known !== undefined) return known
    const pid = this.#process(id === this.#node.peerId ? `${name} (here)` : name, 1 + this.#peers.size)
    const peer = { pid, batches: this.#thread(pid, 'batches', 0), slots: [], lanes: new Lanes() }
    this.#peers.set(id, peer)
    return peer
  }

  #slot({ pid, slots }: Peer, lane: number): number {
    while (slots.length <= lane) slots.push(this.#thread(pid, `slot ${slots.length + 1}`, slots.length + 1))
    return slots[lane]!
  }

  #slotsOf(peer: string): number {
    const slots =
      peer === this.#node.peerId ? this.#node.slots : this.#node.peers.find(({ id }) => id === peer)?.slots
    return Math.max(1, slots ?? 1)
  }

  #instant(name: string): void {
    this.#write({ ph: 'i', s: 't', name, pid: this.#run, tid: this.#peerEvents, ts: this.#now() })
  }

  #process(name: string, place: number): number {
    const pid = ++this.#numbers
    this.#describe('process', { pid, tid: pid }, name, place)
    return pid
  }

  /** No two threads or processes have one number: Perfetto finds the thread to be named by its number alone. */
  #thread(pid: number, name: string, place: number): number {
    const tid = ++this.#numbers
    this.#describe('thread', { pid, tid }, name, place)
    return tid
  }

  #describe(kind: 'process' | 'thread', of: { pid: number; tid: number }, name: string, place: number): void {
    this.#write({ ph: 'M', name: `${kind}_name`, ...of, args: { name } })
    this.#write({ ph: 'M', name: `${kind}_sort_index`, ...of, args: { sort_index: place } })
  }

  #now(): number {
    return this.#micros(performance.now())
  }

  #micros(ms: number): number {
    return Math.max(0, Math.round((ms - this.#startedMs) * 1_000))
  }

  #write(event: object): void {
    this.#file.write(`${this.#first ? '' : ','}\n${JSON.stringify(event)}`)
    this.#first = false
  }
}

/** Viewers draw arrows from the sending of a batch to its jobs. */
function arrow(end: 'flow_in' | 'flow_out', { number }: Batch): object {
  return { bind_id: `0x${number.toString(16)}`, [end]: true }
}
