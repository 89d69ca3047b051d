/**
 * A run as a timeline in the Chrome trace format, which https://ui.perfetto.dev opens: a process for each node, its slots
 * as threads with the jobs on them, batches on their way, peers that come and go.
 */
import { once } from 'node:events'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createWriteStream, type WriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import type { DistNode, JobsSent, ResultsPassed } from '../../index.ts'
import { Lanes } from './lanes.ts'

/** Number of the process that stands for this node in the file. */
const THIS_NODE = 1

/** Threads of this node's process: events, and the batches of each peer. */
const EVENTS = 0

interface Peer {
  readonly pid: number
  readonly lanes: Lanes
  /** Lanes that have been given a name. */
  named: number
}

interface Batch {
  readonly number: number
  readonly name: string
  readonly pid: number
  left: number
}

export class TraceFile implements AsyncDisposable {
  readonly #file: WriteStream
  readonly #node: DistNode
  readonly #startedMs = performance.now()
  readonly #peers = new Map<string, Peer>()
  /** Batches on their way, by peer, job and attempt. */
  readonly #batches = new Map<string, Batch>()
  #batchCount = 0
  #answered = 0
  #first = true

  private constructor(file: WriteStream, node: DistNode, title: string) {
    this.#file = file
    this.#node = node
    file.write('{"displayTimeUnit":"ms","traceEvents":[')
    this.#name('process_name', THIS_NODE, EVENTS, `${node.name}: ${title}`)
    this.#name('thread_name', THIS_NODE, EVENTS, 'peers')
    subscribe('dist-node:jobs-sent', this.#onSent)
    subscribe('dist-node:results-received', this.#onReceived)
    node.on('peer-joined', ({ name }) => this.#instant(`+ ${name}`))
    node.on('peer-left', ({ name }, reason) => this.#instant(`- ${name}: ${reason}`))
    node.on('warning', (message) => this.#instant(message))
  }

  /** @throws when the file cannot be written */
  static async open(path: string, node: DistNode, title: string): Promise<TraceFile> {
    const file = createWriteStream(path)
    await once(file, 'open')
    return new TraceFile(file, node, title)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    unsubscribe('dist-node:jobs-sent', this.#onSent)
    unsubscribe('dist-node:results-received', this.#onReceived)
    // Of peers that were lost, or had to give jobs back.
    for (const { number: id, name, pid, left: unanswered } of new Set(this.#batches.values()))
      this.#write({
        ph: 'e',
        cat: 'batch',
        id,
        name,
        pid,
        tid: EVENTS,
        ts: this.#now(),
        args: { unanswered }
      })
    this.#file.write('\n]}\n')
    await finished(this.#file.end())
  }

  readonly #onSent = (message: unknown): void => {
    const { peer, node, label, jobs, bytes } = message as JobsSent
    const { pid } = this.#peer(peer, node)
    const name = `${jobs.length} job${jobs.length === 1 ? '' : 's'} to ${node}`
    const batch: Batch = { number: ++this.#batchCount, name, pid, left: jobs.length }
    for (const { job, attempt } of jobs) this.#batches.set(`${peer} ${job} ${attempt}`, batch)
    const args = { run: label, jobs: jobs.length, bytes }
    this.#write({ ph: 'b', cat: 'batch', id: batch.number, name, pid, tid: EVENTS, ts: this.#now(), args })
  }

  readonly #onReceived = (message: unknown): void => {
    const { peer, node, results } = message as ResultsPassed
    const known = this.#peer(peer, node)
    const nowMs = performance.now()
    const slices = known.lanes.place(
      results.map(({ ms }) => ms),
      nowMs,
      this.#slotsOf(peer)
    )
    for (const [at, { job, attempt, ok, code, ms, bytes }] of results.entries()) {
      const { lane, startMs, endMs } = slices[at]!
      for (; known.named <= lane; known.named++)
        this.#name('thread_name', known.pid, known.named + 1, `slot ${known.named + 1}`)
      this.#write({
        ph: 'X',
        cat: ok ? 'job' : 'job,failed',
        name: `job ${job}${ok ? '' : ' failed'}`,
        pid: known.pid,
        tid: lane + 1,
        ts: this.#micros(startMs),
        dur: Math.max(1, Math.round((endMs - startMs) * 1_000)),
        args: { job, attempt, ms, bytes, ...(code === undefined ? {} : { code }) }
      })
      this.#settle(`${peer} ${job} ${attempt}`)
    }
    this.#answered += results.length
    this.#count()
  }

  #settle(key: string): void {
    const batch = this.#batches.get(key)
    if (batch === undefined) return
    this.#batches.delete(key)
    if (--batch.left > 0) return
    const { number: id, name, pid } = batch
    this.#write({ ph: 'e', cat: 'batch', id, name, pid, tid: EVENTS, ts: this.#now() })
  }

  #peer(id: string, name: string): Peer {
    const known = this.#peers.get(id)
    if (known !== undefined) return known
    const peer = { pid: THIS_NODE + 1 + this.#peers.size, lanes: new Lanes(), named: 0 }
    this.#peers.set(id, peer)
    this.#name('process_name', peer.pid, EVENTS, id === this.#node.peerId ? `${name} (here)` : name)
    this.#name('thread_name', peer.pid, EVENTS, 'batches')
    return peer
  }

  #slotsOf(peer: string): number {
    const slots =
      peer === this.#node.peerId ? this.#node.slots : this.#node.peers.find(({ id }) => id === peer)?.slots
    return Math.max(1, slots ?? 1)
  }

  #instant(name: string): void {
    this.#write({ ph: 'i', s: 'g', name, pid: THIS_NODE, tid: EVENTS, ts: this.#now() })
  }

  #count(): void {
    const args = { jobs: this.#answered }
    this.#write({ ph: 'C', name: 'answers', pid: THIS_NODE, tid: EVENTS, ts: this.#now(), args })
  }

  #name(kind: 'process_name' | 'thread_name', pid: number, tid: number, name: string): void {
    this.#write({ ph: 'M', name: kind, pid, tid, args: { name } })
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
