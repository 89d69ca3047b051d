import type { Task } from './task.ts'

/** Before the first retry of a job that threw; twice as long before each further one. */
const FIRST_REST_MS = 100

const LONGEST_REST_MS = 10_000

/** A rest is up to a quarter shorter or longer, so that jobs that failed together do not all come back together. */
const SPREAD = 0.25

/** Fractions of the golden ratio's multiples: numbers that follow one another are far apart. */
const GOLDEN_RATIO = 0.618_033_988_749_895

/**
 * How long a job rests before it is tried again: whatever made it throw may need time to pass.
 *
 * @param failures how often it has thrown, from 1
 */
export function restMs(index: number, failures: number): number {
  const restMs = Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** (failures - 1))
  return restMs * (1 - SPREAD + 2 * SPREAD * ((index * GOLDEN_RATIO) % 1))
}

/** Tasks that threw and wait for their next attempt. */
export class RestingTasks {
  #tasks: { readonly task: Task; readonly untilMs: number }[] = []

  get size(): number {
    return this.#tasks.length
  }

  add(task: Task, nowMs: number): void {
    this.#tasks.push({ task, untilMs: nowMs + restMs(task.index, ++task.failures) })
  }

  /** Those that have rested long enough. */
  takeRested(nowMs: number): Task[] {
    if (this.#tasks.length === 0) return []
    const rested = this.#tasks.filter(({ untilMs }) => untilMs <= nowMs).map(({ task }) => task)
    if (rested.length > 0) this.#tasks = this.#tasks.filter(({ untilMs }) => untilMs > nowMs)
    return rested
  }

  clear(): Task[] {
    return this.#tasks.splice(0).map(({ task }) => task)
  }

  *[Symbol.iterator](): Generator<Task> {
    for (const { task } of this.#tasks) yield task
  }
}
