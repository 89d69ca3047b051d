/**
 * Who does what, when: the state of one run on its submitter, as a synchronous machine. Events come in as method
 * calls, effects come out as calls on {@link SchedulerEffects}; no socket, no clock, no promise. Every job is in just
 * one of: the queue, in flight at one peer (or, hedged, at two), resting after it threw, or settled and forgotten.
 */
import { findDonor, findStraggler, type PeerLoad, recallCount } from './balance.ts'
import type { PeerId } from '../link.ts'
import {
  batchSize,
  comesTooLate,
  costMicros,
  type Pace,
  pullCount,
  type Supply,
  updatePace,
  windowSize
} from './pacing.ts'
import { RestingTasks } from './resting-tasks.ts'
import type { Copy, Outcome, Task } from './task.ts'
import { TaskQueue } from './task-queue.ts'

export interface SchedulerEffects {
  send(peer: PeerId, copies: readonly Copy[]): void
  settle(task: Task, outcome: Outcome, peer: PeerId): void
  cancel(peer: PeerId, jobs: readonly number[]): void
  recall(peer: PeerId, count: number): void
  /** A task that may not run again was on a peer that is gone. */
  lose(task: Task, peer: PeerId): void
}

/** A job that ended its worker this often is not tried again. */
export const MAX_CRASHES = 3

/** Bytes of bodies that one peer may hold besides what its slots run: enough to fill a link, little to lose. */
const MAX_IN_FLIGHT_BYTES = 16 * 1024 * 1024

/** Jobs that may rest before their next attempt while more are taken from the input: a run that only fails must end too. */
const MAX_RESTING = 4096

/** Codes by which an executor says that the job took its worker down: try again, but not for ever. */
const CRASH_CODES: ReadonlySet<string> = new Set(['JOB_CRASHED', 'JOB_MEMORY'])

const NO_COPIES: readonly Copy[] = []

export class Scheduler {
  readonly #effects: SchedulerEffects
  readonly #peers = new Map<PeerId, PeerLoad>()
  readonly #pace: Pace = { meanMicros: undefined, batchLimit: 1 }
  readonly #queue = new TaskQueue()
  readonly #resting = new RestingTasks()
  #inFlight = 0
  #ended = false

  constructor(effects: SchedulerEffects) {
    this.#effects = effects
  }

  /** How many tasks are known and not settled. */
  get unsettled(): number {
    return this.#queue.size + this.#resting.size + this.#inFlight
  }

  /** How many tasks some peer has. */
  get inFlight(): number {
    return this.#inFlight
  }

  get done(): boolean {
    return this.#ended && this.unsettled === 0
  }

  get totalSlots(): number {
    let slots = 0
    for (const peer of this.#peers.values()) slots += peer.slots
    return slots
  }

  /** How many more tasks to take from the input now, so that no peer runs dry and memory stays flat. */
  wanted(): number {
    if (this.#ended || this.#resting.size > MAX_RESTING || this.#queue.freshBytes > MAX_IN_FLIGHT_BYTES)
      return 0
    let room = 0
    for (const peer of this.#peers.values()) room += windowSize(this.#paceOf(peer), peer) - peer.inFlight.size
    return pullCount(this.#pace, room, this.#queue.size)
  }

  onPeerJoined(id: PeerId, slots: number, rttMs: number, nowMs: number): void {
    const pace: Pace = { meanMicros: undefined, batchLimit: 1 }
    this.#peers.set(id, { id, slots, rttMs, pace, inFlight: new Map(), inFlightBytes: 0, recalling: false })
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
      if (copy.task.idempotent) this.#queue.addAgain(copy.task)
      else this.#lose(copy.task, id)
    }
    this.#assign(nowMs)
  }

  onTasksAdded(tasks: readonly Task[], nowMs: number): void {
    for (const task of tasks) this.#queue.add(task)
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
    updatePace(peer.pace, outcomes)
    for (const outcome of outcomes) {
      const copy = peer.inFlight.get(outcome.job)
      if (copy === undefined || copy.attempt !== outcome.attempt) continue
      this.#take(copy)
      this.#onOutcome(copy, outcome, nowMs)
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
      if (copy.task.copies.length === 0) this.#queue.addAgain(copy.task)
    }
    this.#assign(nowMs)
  }

  /** Called now and then: nothing else would notice that a job takes too long, or has rested long enough. */
  onTick(nowMs: number): void {
    for (const task of this.#resting.takeRested(nowMs)) this.#queue.addAgain(task)
    this.#assign(nowMs)
  }

  /** Takes everything back from everybody; returns the tasks that will never be settled. */
  abandon(): Task[] {
    const abandoned = new Set([...this.#queue.clear(), ...this.#resting.clear()])
    for (const peer of this.#peers.values()) {
      if (peer.inFlight.size > 0) this.#effects.cancel(peer.id, [])
      for (const copy of peer.inFlight.values()) abandoned.add(copy.task)
      peer.inFlight.clear()
      peer.inFlightBytes = 0
    }
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
    for (const task of [...this.#queue, ...this.#resting]) {
      if (task.settled || task.copies.length > 0)
        throw new Error(`job ${task.index}: waiting and elsewhere too`)
    }
  }

  #onOutcome(copy: Copy, outcome: Outcome, nowMs: number): void {
    const { task } = copy
    if (!outcome.ok && outcome.code !== undefined && CRASH_CODES.has(outcome.code)) {
      task.crashes++
      if (task.idempotent && task.crashes < MAX_CRASHES) {
        if (task.copies.length === 0) this.#queue.addAgain(task)
        return
      }
    } else if (!outcome.ok && outcome.code === undefined && task.retriesLeft > 0) {
      task.retriesLeft--
      if (task.copies.length === 0) this.#resting.add(task, nowMs)
      return
    }
    task.settled = true
    for (const loser of task.copies) {
      this.#take(loser)
      this.#effects.cancel(loser.peer, [task.index])
    }
    this.#effects.settle(task, outcome, copy.peer)
  }

  #lose(task: Task, peer: PeerId): void {
    task.settled = true
    this.#effects.lose(task, peer)
  }

  /** Fills every peer's window, the emptiest first, so that all stay equally busy. */
  #assign(nowMs: number): void {
    while (this.#queue.size > 0) {
      const next = this.#emptiestPeer()
      if (next === undefined || this.#isBetterLater(next.peer, next.size)) return
      this.#send(next.peer, this.#queue.takeBatch(next.size), nowMs)
    }
    this.#balance(nowMs)
  }

  /** Less than a batch is in hand, more will follow, and even the emptiest peer has work for a while. */
  #isBetterLater(peer: PeerLoad, size: number): boolean {
    if (this.#ended || this.#queue.size >= size) return false
    return peer.inFlight.size * 2 >= windowSize(this.#paceOf(peer), peer)
  }

  /** Who is to get the next batch, and how large it is. */
  #emptiestPeer(): { peer: PeerLoad; size: number } | undefined {
    let best: { peer: PeerLoad; size: number } | undefined
    let bestLoad = Infinity
    const supply = this.#supply()
    const isTooLate = this.#whoComesTooLate()
    for (const peer of this.#peers.values()) {
      if (peer.slots === 0 || isTooLate(peer)) continue
      if (peer.inFlight.size >= peer.slots && peer.inFlightBytes > MAX_IN_FLIGHT_BYTES) continue
      const pace = this.#paceOf(peer)
      const size = batchSize(pace, supply)
      if (peer.inFlight.size > 0 && peer.inFlight.size + size > windowSize(pace, peer)) continue
      const load = peer.inFlight.size / peer.slots
      if (load < bestLoad) [best, bestLoad] = [{ peer, size }, load]
    }
    return best
  }

  #supply(): Supply {
    let slots = 0
    let idleSlots = 0
    for (const peer of this.#peers.values()) {
      slots += peer.slots
      idleSlots += Math.max(0, peer.slots - peer.inFlight.size)
    }
    return { waiting: this.#queue.size, ended: this.#ended, slots, idleSlots }
  }

  /** Before a peer's first answer, what is known of the others. */
  #paceOf(peer: PeerLoad): Pace {
    return peer.pace.meanMicros === undefined ? this.#pace : peer.pace
  }

  #whoComesTooLate(): (peer: PeerLoad) => boolean {
    if (!this.#ended || this.#peers.size < 2) return () => false
    let quickest = Infinity
    let jobsPerMicro = 0
    for (const peer of this.#peers.values()) {
      const cost = costMicros(this.#paceOf(peer))
      if (cost === undefined || peer.slots === 0) continue
      quickest = Math.min(quickest, cost)
      jobsPerMicro += peer.slots / cost
    }
    const restMicros = this.unsettled / jobsPerMicro
    return ({ pace }) => {
      const cost = costMicros(pace)
      return cost !== undefined && comesTooLate(cost, quickest, restMicros)
    }
  }

  #send(peer: PeerLoad, tasks: readonly Task[], nowMs: number): void {
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
    if (!this.#ended || this.#queue.size > 0) return
    for (const idle of this.#peers.values()) {
      const idleSlots = idle.slots - idle.inFlight.size
      if (idleSlots <= 0) continue
      const donor = findDonor(this.#peers.values(), idle)
      if (donor !== undefined) this.#recall(donor, idleSlots)
      else {
        const straggler = findStraggler(this.#peers.values(), idle, this.#pace, nowMs)
        if (straggler !== undefined) this.#send(idle, [straggler], nowMs)
      }
    }
  }

  #recall(donor: PeerLoad, idleSlots: number): void {
    if (donor.recalling) return
    donor.recalling = true
    this.#effects.recall(donor.id, recallCount(donor, idleSlots))
  }
}
