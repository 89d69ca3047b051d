import type { Task } from './task.ts'

/** Largest sum of bodies in one batch, unless a single body is larger. */
const MAX_BATCH_BYTES = 256 * 1024

/** Tasks that wait to be sent. Those that have been out before come first. */
export class TaskQueue {
  readonly #again: Task[] = []
  #fresh: Task[] = []
  #freshFrom = 0
  #freshBytes = 0

  get size(): number {
    return this.#again.length + this.#fresh.length - this.#freshFrom
  }

  /** Sum of the bodies of tasks that were never sent. */
  get freshBytes(): number {
    return this.#freshBytes
  }

  add(task: Task): void {
    this.#fresh.push(task)
    this.#freshBytes += task.bytes
  }

  /** Puts a task back that has been out. */
  addAgain(task: Task): void {
    this.#again.push(task)
  }

  /** Takes the next tasks that may share a batch, at most `count`. */
  takeBatch(count: number): Task[] {
    const tasks: Task[] = []
    let bytes = 0
    while (tasks.length < count) {
      const task = this.#again[0] ?? this.#fresh[this.#freshFrom]
      if (task === undefined) break
      if (tasks.length > 0 && (task.group !== tasks[0]!.group || bytes + task.bytes > MAX_BATCH_BYTES)) break
      // A task whose worker died travels alone, so that next time there is no doubt whose fault it was.
      if (tasks.length > 0 && task.crashes > 0) break
      if (this.#again.length > 0) this.#again.shift()
      else this.#takeFresh(task)
      tasks.push(task)
      bytes += task.bytes
      if (task.crashes > 0) break
    }
    return tasks
  }

  /** Empties the queue. */
  clear(): Task[] {
    const tasks = [...this]
    this.#again.length = 0
    this.#fresh = []
    this.#freshFrom = 0
    this.#freshBytes = 0
    return tasks
  }

  *[Symbol.iterator](): Generator<Task> {
    yield* this.#again
    yield* this.#fresh.slice(this.#freshFrom)
  }

  #takeFresh(task: Task): void {
    this.#freshFrom++
    this.#freshBytes -= task.bytes
    if (this.#freshFrom > 1024 && this.#freshFrom * 2 > this.#fresh.length) {
      this.#fresh = this.#fresh.slice(this.#freshFrom)
      this.#freshFrom = 0
    }
  }
}
