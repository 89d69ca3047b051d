import { tellJobsSent } from '../diagnostics.ts'
import type { Link } from '../link.ts'
import type { Copy } from './task.ts'
import type { PrintedTask } from './task-printer.ts'
import type { TaskSource } from './task-source.ts'

/** One run as one executor sees it: announced once, each blob sent once, then batches of jobs. */
export class RunPort {
  readonly #link: Link
  readonly #run: number
  readonly #label: string
  readonly #source: TaskSource
  readonly #sentBlobs = new Set<string>()
  #opened = false

  constructor(link: Link, run: number, label: string, source: TaskSource) {
    this.#link = link
    this.#run = run
    this.#label = label
    this.#source = source
  }

  get link(): Link {
    return this.#link
  }

  send(copies: readonly Copy[]): void {
    this.#open()
    const tasks = copies.map((copy) => copy.task as PrintedTask)
    const { head, timeoutMs } = tasks[0]!.group
    const blobs = new Set(head === undefined ? [] : [head.hash, ...head.units])
    for (const task of tasks) for (const hash of task.units) blobs.add(hash)
    this.#sendBlobs(blobs)
    const jobs = copies.map(({ task, attempt }, at) => ({ job: task.index, attempt, body: tasks[at]!.body }))
    this.#link.send({
      type: 'jobs',
      run: this.#run,
      timeoutMs,
      ...(head === undefined ? {} : { head: head.hash }),
      blobs: [...blobs],
      jobs
    })
    tellJobsSent({ id: this.#source.id, label: this.#label }, this.#link, jobs)
  }

  cancel(jobs: readonly number[]): void {
    if (this.#opened) this.#link.send({ type: 'cancel', run: this.#run, jobs: [...jobs] })
  }

  recall(count: number): void {
    if (this.#opened) this.#link.send({ type: 'recall', run: this.#run, count })
  }

  close(): void {
    if (this.#opened) this.#link.send({ type: 'run-close', run: this.#run })
    this.#opened = false
  }

  #open(): void {
    if (this.#opened) return
    this.#opened = true
    const { setup, id } = this.#source
    this.#link.send({
      type: 'run-open',
      run: this.#run,
      id,
      label: this.#label,
      ...(setup === undefined ? {} : { setup: { body: setup.bytes, blobs: [...setup.units] } })
    })
    if (setup !== undefined) this.#sendBlobs(setup.units)
  }

  #sendBlobs(hashes: Iterable<string>): void {
    for (const hash of hashes) {
      if (this.#sentBlobs.has(hash)) continue
      this.#sentBlobs.add(hash)
      this.#link.send({ type: 'blob', run: this.#run, hash, bytes: this.#source.blob(hash) })
    }
  }
}
