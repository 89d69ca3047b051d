/**
 * Who does what, when: the state of one run on its submitter, as a synchronous machine. Events come in as method
 * calls, effects come out as calls on {@link SchedulerEffects}; no socket, no clock, no promise. Every job is in just
 * one of: `#ready`, in flight at one peer (or, hedged, at two), or settled and forgotten.
 */
import { batchSize, type Pace, pullCount, updatePace, windowSize } from './pacing.ts'
import type { PeerId } from './link.ts'

/** A job as the scheduler sees it: opaque bytes and what may be done with them. */
export interface Task {
  readonly index: number
  /** Tasks of one group may share a batch: same function, same time limit. */
  readonly group: object
  readonly bytes: number
  readonly idempotent: boolean
  /** How often it may still be tried again after throwing. */
  retriesLeft: number
  /** How many workers it took down. */
  crashes: number
  /** Number of the newest attempt; 0 before the first. */
  attempt: number
  /** Where it is now; empty while it waits. Replaced, never changed: one array per job and no more. */
  copies: readonly Copy[]
  settled: boolean
}

/** One attempt of one task at one peer. */
export interface Copy {
  readonly task: Task
  readonly peer: PeerId
  readonly attempt: number
  readonly sentMs: number
}

/** What an executor says of one attempt. */
export interface Outcome {
  readonly job: number
  readonly attempt: number
  readonly ok: boolean
  readonly code?: string
  readonly micros: number
  readonly body: Uint8Array
}

export interface SchedulerEffects {
  send(peer: PeerId, copies: readonly Copy[]): void
  settle(task: Task, outcome: Outcome, peer: PeerId): void
  cancel(peer: PeerId, jobs: readonly number[]): void
  recall(peer: PeerId, count: number): void
  /** A task that may not run again was on a peer that is gone. */
  lose(task: Task, peer: PeerId): void
}

interface PeerState {
  readonly id: PeerId
  slots: number
  rttMs: number
  readonly inFlight: Map<number, Copy>
  inFlightBytes: number
  /** A recall was sent and not yet answered. */
  recalling: boolean
}

/** A job that ended its worker this often is not tried again. */
export const MAX_CRASHES = 3

/** Bytes of bodies that one peer may hold besides what its slots run: enough to fill a link, little to lose. */
const MAX_IN_FLIGHT_BYTES = 16 * 1024 * 1024

/** Largest sum of bodies in one batch, unless a single body is larger. */
const MAX_BATCH_BYTES = 256 * 1024

/** Codes by which an executor says that the job took its worker down: try again, but not for ever. */
const CRASH_CODES: ReadonlySet<string> = new Set(['JOB_CRASHED', 'JOB_MEMORY'])

const NO_COPIES: readonly Copy[] = []

export class Scheduler {
  readonly #effects: SchedulerEffects
  readonly #peers = new Map<PeerId, PeerState>()
  readonly #pace: Pace = { meanMicros: undefined, batchLimit: 1 }
  /** Tasks that have been out before come first. */
  readonly #again: Task[] = []
  #ready: Task[] = []
  #readyFrom = 0
  #readyBytes = 0
  #inFlight = 0
  #ended = false

  constructor(effects: SchedulerEffects) {
    this.#effects = effects
  }

  /** How many tasks are known and not settled. */
  get unsettled(): number {
    return this.#waiting + this.#inFlight
  }

  get done(): boolean {
    return this.#ended && this.unsettled === 0
  }

  get totalSlots(): number {
    let slots = 0
    for (const peer of this.#peers.values()) slots += peer.slots
    return slots
  }

  get meanMicros(): number | undefined {
    return this.#pace.meanMicros
  }

  get #waiting(): number {
    return this.#again.length + this.#ready.length - this.#readyFrom
  }

  /** How many more tasks to take from the input now, so that no peer runs dry and memory stays flat. */
  wanted(): number {
    if (this.#ended || this.#readyBytes > MAX_IN_FLIGHT_BYTES) return 0
    let room = 0
    for (const peer of this.#peers.values()) room += windowSize(this.#pace, peer) - peer.inFlight.size
    return pullCount(this.#pace, room, this.#waiting)
  }

  onPeerJoined(id: PeerId, slots: number, rttMs: number, nowMs: number): void {
    this.#peers.set(id, { id, slots, rttMs, inFlight: new Map(), inFlightBytes: 0, recalling: false })
    this.#assign(nowMs)
  }

  /** The peer lends more or fewer slots than before, or the way to it has become longer. */
  onPeerChanged(id: PeerId, change: { slots?: number; rttMs?: number }, nowMs: number): void {
    const peer = this.#peers.get(id)
    if (peer === undefined) return
    Object.assign(peer, change)
    this.#assign(nowMs)
  }

  onPeerLost(id: PeerId, nowMs: number): void {
    const peer = this.#peers.get(id)
    if (peer === undefined) return
    this.#peers.delete(id)
    for (const copy of peer.inFlight.values()) {
      this.#forget(copy)
      if (copy.task.copies.length > 0) continue
      if (copy.task.idempotent) this.#again.push(copy.task)
      else this.#lose(copy.task, id)
    }
    this.#assign(nowMs)
  }

  onTasksAdded(tasks: readonly Task[], nowMs: number): void {
    for (const task of tasks) {
      this.#ready.push(task)
      this.#readyBytes += task.bytes
    }
    this.#assign(nowMs)
  }

  onInputEnded(nowMs: number): void {
    this.#ended = true
    this.#assign(nowMs)
  }

  /** Answers from a peer. Those for attempts that are not (or no longer) its own are dropped. */
  onOutcomes(id: PeerId, outcomes: readonly Outcome[], nowMs: number): void {
    const peer = this.#peers.get(id)
    if (peer === undefined) return
    updatePace(this.#pace, outcomes)
    for (const outcome of outcomes) {
      const copy = peer.inFlight.get(outcome.job)
      if (copy === undefined || copy.attempt !== outcome.attempt) continue
      this.#take(copy)
      this.#onOutcome(copy, outcome)
    }
    this.#assign(nowMs)
  }

  /** Jobs that a peer gives back unstarted: because we asked, or because it is about to leave. */
  onRecalled(id: PeerId, jobs: readonly { job: number; attempt: number }[], nowMs: number): void {
    const peer = this.#peers.get(id)
    if (peer === undefined) return
    peer.recalling = false
    for (const { job, attempt } of jobs) {
      const copy = peer.inFlight.get(job)
      if (copy === undefined || copy.attempt !== attempt) continue
      this.#take(copy)
      if (copy.task.copies.length === 0) this.#again.push(copy.task)
    }
    this.#assign(nowMs)
  }

  /** Called now and then: nothing else would notice that a job takes too long. */
  onTick(nowMs: number): void {
    this.#balance(nowMs)
  }

  /** Takes everything back from everybody; returns the tasks that will never be settled. */
  abandon(): Task[] {
    const abandoned = new Set([...this.#again, ...this.#ready.slice(this.#readyFrom)])
    for (const peer of this.#peers.values()) {
      if (peer.inFlight.size > 0) this.#effects.cancel(peer.id, [])
      for (const copy of peer.inFlight.values()) abandoned.add(copy.task)
      peer.inFlight.clear()
      peer.inFlightBytes = 0
    }
    this.#again.length = 0
    this.#ready = []
    this.#readyFrom = 0
    this.#readyBytes = 0
    this.#inFlight = 0
    this.#ended = true
    return [...abandoned]
  }

  /** Throws when the state contradicts itself. For tests, after every step. */
  check(): void {
    let inFlight = 0
    for (const peer of this.#peers.values()) {
      for (const [index, copy] of peer.inFlight) {
        if (copy.task.index !== index || copy.peer !== peer.id) throw new Error(`job ${index}: wrong copy`)
        if (!copy.task.copies.includes(copy)) throw new Error(`job ${index}: copy unknown to its task`)
        if (copy.task.settled) throw new Error(`job ${index}: settled and still in flight`)
        if (copy.task.copies[0] === copy) inFlight++
      }
    }
    if (inFlight !== this.#inFlight) throw new Error(`${inFlight} jobs in flight, counted ${this.#inFlight}`)
    for (const task of [...this.#again, ...this.#ready.slice(this.#readyFrom)]) {
      if (task.settled || task.copies.length > 0)
        throw new Error(`job ${task.index}: waiting and elsewhere too`)
    }
  }

  #onOutcome(copy: Copy, outcome: Outcome): void {
    const { task } = copy
    if (!outcome.ok && outcome.code !== undefined && CRASH_CODES.has(outcome.code)) {
      task.crashes++
      if (task.idempotent && task.crashes < MAX_CRASHES) return this.#retry(task)
    } else if (!outcome.ok && outcome.code === undefined && task.retriesLeft > 0) {
      task.retriesLeft--
      return this.#retry(task)
    }
    task.settled = true
    for (const loser of task.copies) {
      this.#take(loser)
      this.#effects.cancel(loser.peer, [task.index])
    }
    this.#effects.settle(task, outcome, copy.peer)
  }

  #retry(task: Task): void {
    if (task.copies.length === 0) this.#again.push(task)
  }

  #lose(task: Task, peer: PeerId): void {
    task.settled = true
    this.#effects.lose(task, peer)
  }

  /** Fills every peer's window, the emptiest first, so that all stay equally busy. */
  #assign(nowMs: number): void {
    while (this.#waiting > 0) {
      const peer = this.#emptiestPeer()
      if (peer === undefined) return
      const size = batchSize(this.#pace, {
        waiting: this.#waiting,
        ended: this.#ended,
        slots: this.totalSlots
      })
      if (this.#isBetterLater(peer, size)) return
      this.#send(peer, this.#nextTasks(size), nowMs)
    }
    this.#balance(nowMs)
  }

  /** Less than a batch is in hand, more will follow, and even the emptiest peer has work for a while. */
  #isBetterLater(peer: PeerState, size: number): boolean {
    if (this.#ended || this.#waiting >= size) return false
    return peer.inFlight.size * 2 >= windowSize(this.#pace, peer)
  }

  #emptiestPeer(): PeerState | undefined {
    let best: PeerState | undefined
    let bestLoad = Infinity
    for (const peer of this.#peers.values()) {
      if (peer.slots === 0) continue
      if (peer.inFlight.size >= peer.slots && peer.inFlightBytes > MAX_IN_FLIGHT_BYTES) continue
      const size = batchSize(this.#pace, {
        waiting: this.#waiting,
        ended: this.#ended,
        slots: this.totalSlots
      })
      if (peer.inFlight.size > 0 && peer.inFlight.size + size > windowSize(this.#pace, peer)) continue
      const load = peer.inFlight.size / peer.slots
      if (load < bestLoad) [best, bestLoad] = [peer, load]
    }
    return best
  }

  /** The next tasks that may share a batch. */
  #nextTasks(size: number): Task[] {
    const tasks: Task[] = []
    let bytes = 0
    while (tasks.length < size) {
      const task = this.#again[0] ?? this.#ready[this.#readyFrom]
      if (task === undefined) break
      if (tasks.length > 0 && (task.group !== tasks[0]!.group || bytes + task.bytes > MAX_BATCH_BYTES)) break
      // A task whose worker died travels alone, so that next time there is no doubt whose fault it was.
      if (tasks.length > 0 && task.crashes > 0) break
      if (this.#again.length > 0) this.#again.shift()
      else this.#shiftReady(task)
      tasks.push(task)
      bytes += task.bytes
      if (task.crashes > 0) break
    }
    return tasks
  }

  #shiftReady(task: Task): void {
    this.#readyFrom++
    this.#readyBytes -= task.bytes
    if (this.#readyFrom > 1024 && this.#readyFrom * 2 > this.#ready.length) {
      this.#ready = this.#ready.slice(this.#readyFrom)
      this.#readyFrom = 0
    }
  }

  #send(peer: PeerState, tasks: readonly Task[], nowMs: number): void {
    const copies = tasks.map((task) => {
      const copy = { task, peer: peer.id, attempt: ++task.attempt, sentMs: nowMs }
      if (task.copies.length === 0) this.#inFlight++
      task.copies = task.copies.length === 0 ? [copy] : [...task.copies, copy]
      peer.inFlight.set(task.index, copy)
      peer.inFlightBytes += task.bytes
      return copy
    })
    this.#effects.send(peer.id, copies)
  }

  /** Removes a copy from its peer and its task. */
  #take(copy: Copy): void {
    const peer = this.#peers.get(copy.peer)
    if (peer?.inFlight.delete(copy.task.index)) peer.inFlightBytes -= copy.task.bytes
    this.#forget(copy)
  }

  #forget(copy: Copy): void {
    const { task } = copy
    if (!task.copies.includes(copy)) return
    task.copies = task.copies.length === 1 ? NO_COPIES : task.copies.filter((other) => other !== copy)
    if (task.copies.length === 0) this.#inFlight--
  }

  /** With nothing left to hand out: idle peers get what others have not begun, then second copies of stragglers. */
  #balance(nowMs: number): void {
    if (!this.#ended || this.#waiting > 0) return
    for (const idle of this.#peers.values()) {
      const idleSlots = idle.slots - idle.inFlight.size
      if (idleSlots <= 0) continue
      if (this.#recallFor(idle, idleSlots)) continue
      const straggler = this.#straggler(idle, nowMs)
      if (straggler !== undefined) this.#send(idle, [straggler], nowMs)
    }
  }

  /** Asks the peer with the longest queue to give back what it has not started. */
  #recallFor(idle: PeerState, idleSlots: number): boolean {
    let donor: PeerState | undefined
    for (const peer of this.#peers.values()) {
      if (peer === idle || peer.inFlight.size <= peer.slots) continue
      if (donor === undefined || peer.inFlight.size - peer.slots > donor.inFlight.size - donor.slots)
        donor = peer
    }
    if (donor === undefined) return false
    if (!donor.recalling) {
      donor.recalling = true
      this.#effects.recall(
        donor.id,
        Math.max(1, Math.min(idleSlots, (donor.inFlight.size - donor.slots) >> 1))
      )
    }
    return true
  }

  /** The job that has been out longest, if that is far longer than its fellows took and a copy does no harm. */
  #straggler(idle: PeerState, nowMs: number): Task | undefined {
    const patienceMs = Math.max(
      HEDGE_AFTER_MS,
      ((this.#pace.meanMicros ?? Infinity) / 1000) * HEDGE_AFTER_MEANS
    )
    let oldest: Copy | undefined
    for (const peer of this.#peers.values()) {
      if (peer === idle) continue
      for (const copy of peer.inFlight.values()) {
        if (!copy.task.idempotent || copy.task.copies.length > 1 || copy.task.crashes > 0) continue
        if (nowMs - copy.sentMs < patienceMs) continue
        if (oldest === undefined || copy.sentMs < oldest.sentMs) oldest = copy
      }
    }
    return oldest?.task
  }
}

/** Hedging: a second copy is worth its work only when the first is really late. */
const HEDGE_AFTER_MS = 500
const HEDGE_AFTER_MEANS = 3
