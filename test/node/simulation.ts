/**
 * A mesh with a virtual clock around the real scheduler: executors of different speed, round trips, joins and losses,
 * all from one seed. No promise, no timer; a second of mesh time costs microseconds.
 */
import { Scheduler } from '../../src/node/run/scheduler.ts'
import type { Copy, Outcome, Task } from '../../src/node/run/task.ts'

export interface SimulatedPeer {
  readonly name: string
  readonly slots: number
  readonly rttMs: number
  /** Time for a job here, relative to its cost: 1 is as fast as the reference, 5 five times slower. */
  readonly slowness: number
  readonly joinsMs: number
  readonly leavesMs: number
}

export interface SimulationResult {
  readonly makespanMs: number
  readonly settled: ReadonlyMap<number, number>
  readonly executions: number
}

interface Running {
  readonly peer: SimulatedPeer
  readonly queue: { copy: Copy }[]
  busy: number
  alive: boolean
}

/** A small generator of random numbers with a seed (mulberry32). */
export function makeRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export function simulate(
  costsMs: readonly number[],
  peers: readonly SimulatedPeer[],
  tickMs = 100
): SimulationResult {
  const events = new EventQueue()
  const mesh = new Map<string, Running>()
  const settled = new Map<number, number>()
  let executions = 0
  let next = 0
  let lastSettledMs = 0

  const scheduler: Scheduler = new Scheduler({
    send: (name, copies) => {
      const at = mesh.get(name)
      if (at !== undefined) events.add(at.peer.rttMs / 2, () => arrive(at, copies))
    },
    settle: (task) => {
      settled.set(task.index, (settled.get(task.index) ?? 0) + 1)
      lastSettledMs = events.nowMs
    },
    cancel: (name, jobs) => {
      const at = mesh.get(name)
      if (at === undefined) return
      events.add(at.peer.rttMs / 2, () => {
        const unwanted = at.queue.filter(({ copy }) => jobs.includes(copy.task.index))
        for (const item of unwanted) at.queue.splice(at.queue.indexOf(item), 1)
      })
    },
    recall: (name, count) => {
      const at = mesh.get(name)
      if (at === undefined) return
      events.add(at.peer.rttMs / 2, () => {
        const given = at.queue.splice(Math.max(0, at.queue.length - count)).map(({ copy }) => copy)
        const jobs = given.map(({ task, attempt }) => ({ job: task.index, attempt }))
        events.add(
          at.peer.rttMs / 2,
          () => at.alive && step(() => scheduler.onRecalled(name, jobs, events.nowMs))
        )
      })
    },
    lose: (task) => settled.set(task.index, (settled.get(task.index) ?? 0) + 1)
  })

  /** Every event of the mesh goes through here: invariants hold after each, and the input is read on. */
  function step(event: () => void): void {
    event()
    for (let wanted = scheduler.wanted(); wanted > 0 && next < costsMs.length; wanted = scheduler.wanted()) {
      const tasks = Array.from({ length: Math.min(wanted, costsMs.length - next) }, () => makeTask(next++))
      scheduler.onTasksAdded(tasks, events.nowMs)
      if (next === costsMs.length) scheduler.onInputEnded(events.nowMs)
    }
    scheduler.check()
  }

  function arrive(at: Running, copies: readonly Copy[]): void {
    if (!at.alive) return
    at.queue.push(...copies.map((copy) => ({ copy })))
    work(at)
  }

  function work(at: Running): void {
    while (at.alive && at.busy < at.peer.slots) {
      const item = at.queue.shift()
      if (item === undefined) return
      at.busy++
      executions++
      const tookMs = costsMs[item.copy.task.index]! * at.peer.slowness
      events.add(tookMs, () => {
        at.busy--
        if (!at.alive) return
        const outcome = answer(item.copy, tookMs)
        events.add(
          at.peer.rttMs / 2,
          () => at.alive && step(() => scheduler.onOutcomes(at.peer.name, [outcome], events.nowMs))
        )
        work(at)
      })
    }
  }

  for (const peer of peers) {
    const at: Running = { peer, queue: [], busy: 0, alive: true }
    events.add(peer.joinsMs, () => {
      mesh.set(peer.name, at)
      step(() => scheduler.onPeerJoined(peer.name, peer.slots, peer.rttMs, events.nowMs))
    })
    if (peer.leavesMs < Infinity) {
      events.add(peer.leavesMs, () => {
        at.alive = false
        mesh.delete(peer.name)
        step(() => scheduler.onPeerLost(peer.name, events.nowMs))
      })
    }
  }
  const tick = (): void => {
    if (scheduler.done) return
    step(() => scheduler.onTick(events.nowMs))
    events.add(tickMs, tick)
  }
  events.add(0, tick)
  events.run(() => scheduler.done)
  return { makespanMs: lastSettledMs, settled, executions }
}

function answer({ task, attempt }: Copy, tookMs: number): Outcome {
  return { job: task.index, attempt, ok: true, micros: tookMs * 1000, body: new Uint8Array() }
}

const GROUP = {}

function makeTask(index: number): Task {
  return {
    index,
    group: GROUP,
    bytes: 100,
    idempotent: true,
    retriesLeft: 0,
    failures: 0,
    crashes: 0,
    attempt: 0,
    copies: [],
    settled: false
  }
}

/** Events in order of time, those of one time in order of arrival: a binary heap. */
class EventQueue {
  nowMs = 0
  readonly #heap: { atMs: number; order: number; act: () => void }[] = []
  #order = 0

  add(afterMs: number, act: () => void): void {
    const heap = this.#heap
    heap.push({ atMs: this.nowMs + afterMs, order: this.#order++, act })
    for (let child = heap.length - 1; child > 0;) {
      const parent = (child - 1) >> 1
      if (!this.#isBefore(child, parent)) return
      this.#swap(child, parent)
      child = parent
    }
  }

  run(isDone: () => boolean): void {
    for (let steps = 0; this.#heap.length > 0 && !isDone(); steps++) {
      if (steps > 5_000_000) throw new Error('the simulation does not end: a job is stuck')
      const { atMs, act } = this.#pop()
      this.nowMs = atMs
      act()
    }
  }

  #pop(): { atMs: number; act: () => void } {
    const heap = this.#heap
    this.#swap(0, heap.length - 1)
    const first = heap.pop()!
    for (let parent = 0; ;) {
      let least = parent
      for (const child of [2 * parent + 1, 2 * parent + 2]) {
        if (child < heap.length && this.#isBefore(child, least)) least = child
      }
      if (least === parent) return first
      this.#swap(parent, least)
      parent = least
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [left, right] = [this.#heap[a]!, this.#heap[b]!]
    return left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order)
  }

  #swap(a: number, b: number): void {
    const kept = this.#heap[a]!
    this.#heap[a] = this.#heap[b]!
    this.#heap[b] = kept
  }
}
