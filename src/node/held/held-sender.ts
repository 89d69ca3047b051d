import type { BlobMessage, JobsMessage, Message } from '../../protocol/messages.ts'
import { MeshError, UsageError } from '../errors.ts'
import type { HeldClient } from './held-client.ts'
import { HeldIntake } from './held-intake.ts'
import type { Link } from '../link.ts'
import type { PrintedTask } from '../run/task-printer.ts'
import type { TaskSource } from '../run/task-source.ts'

/** An answer that takes longer than this comes from a holder that does not work. */
const ANSWER_TIMEOUT_MS = 30_000

/** Jobs printed in one go. */
const JOBS_PER_TURN = 512

/** A submitter's conversation with one holder about one run; disposing of it before the run is stored takes it back. */
export class HandOver implements Disposable {
  readonly number: number
  readonly #link: Link
  readonly #stop: () => void
  readonly #signal: AbortSignal | undefined
  /** What the holder will check is checked here first: an input without end ends here. */
  readonly #intake = new HeldIntake(0)
  #answers: string[] = []
  #error: Error | undefined
  #news = Promise.withResolvers<void>()
  #isStored = false

  constructor(client: HeldClient, link: Link, signal: AbortSignal | undefined) {
    this.number = client.nextNumber()
    this.#link = link
    this.#signal = signal
    this.#stop = client.listen({
      onHolderLost: (lost) => void (lost === link && this.#onLost()),
      onMessage: (from, message) => void (from === link && this.#onMessage(message))
    })
    signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  get holder(): string {
    return this.#link.name
  }

  /** @returns why the holder does not take the run */
  async open(message: Message): Promise<string | undefined> {
    this.#link.send(message)
    try {
      await this.#answer()
      return undefined
    } catch (error) {
      this.#signal?.throwIfAborted()
      return (error as Error).message
    }
  }

  /** @returns how many jobs there were */
  async sendAll(source: TaskSource): Promise<number> {
    for (const hash of source.setup?.units ?? []) this.#sendBlob(source, hash)
    const sink = {
      isOpen: true,
      add: (tasks: PrintedTask[]) => this.#sendTasks(source, tasks)
    }
    for (let isAtEnd = false; !isAtEnd;) {
      isAtEnd = await source.read(JOBS_PER_TURN, sink)
      await Promise.race([this.#link.drained(), this.#news.promise])
      if (this.#error !== undefined) throw this.#error
    }
    this.#link.send({ type: 'hold-end', run: this.number, jobs: this.#intake.jobs })
    await this.#answer()
    this.#isStored = true
    return this.#intake.jobs
  }

  [Symbol.dispose](): void {
    this.#stop()
    this.#signal?.removeEventListener('abort', this.#onAbort)
    if (!this.#isStored) this.#link.send({ type: 'run-close', run: this.number })
  }

  /** Tasks of one message have the same function, time limit and code. */
  #sendTasks(source: TaskSource, tasks: readonly PrintedTask[]): void {
    let batch: PrintedTask[] = []
    for (const task of tasks) {
      if (batch.length > 0 && !isAlike(batch[0]!, task)) {
        this.#sendBatch(source, batch)
        batch = []
      }
      batch.push(task)
    }
    if (batch.length > 0) this.#sendBatch(source, batch)
  }

  #sendBatch(source: TaskSource, tasks: readonly PrintedTask[]): void {
    const { group, units, idempotent } = tasks[0]!
    const { head, timeoutMs } = group
    const blobs = [...new Set(head === undefined ? units : [head.hash, ...head.units, ...units])]
    for (const hash of blobs) this.#sendBlob(source, hash)
    const message: JobsMessage = {
      type: 'jobs',
      run: this.number,
      timeoutMs,
      ...(head === undefined ? {} : { head: head.hash }),
      blobs,
      ...(idempotent ? {} : { once: true }),
      jobs: tasks.map(({ index, retriesLeft, body }) => ({ job: index, attempt: retriesLeft + 1, body }))
    }
    this.#check(this.#intake.onJobs(message))
    this.#link.send(message)
  }

  #sendBlob(source: TaskSource, hash: string): void {
    if (this.#intake.hasBlob(hash)) return
    const message: BlobMessage = { type: 'blob', run: this.number, hash, bytes: source.blob(hash) }
    this.#check(this.#intake.onBlob(message))
    this.#link.send(message)
  }

  #check(refusal: string | undefined): void {
    if (refusal === undefined) return
    throw new UsageError(`this run cannot be detached: ${refusal}; run it without --detach, or in pieces`)
  }

  async #answer(): Promise<void> {
    const timer = setTimeout(() => this.#fail(lost(this.holder, 'does not answer')), ANSWER_TIMEOUT_MS)
    try {
      while (this.#answers.length === 0) {
        if (this.#error !== undefined) throw this.#error
        await this.#news.promise
      }
      this.#answers.shift()
    } finally {
      clearTimeout(timer)
    }
  }

  #onMessage(message: Message): void {
    if (message.type !== 'held' || message.run !== this.number) return
    if (message.state === 'refused') return this.#fail(new MeshError('MESH_NO_HOLDER', message.reason))
    this.#answers.push(message.state)
    this.#wake()
  }

  #onLost(): void {
    this.#fail(lost(this.holder, 'was lost before it had the whole run'))
  }

  readonly #onAbort = (): void => this.#fail(this.#signal?.reason as Error)

  #fail(error: Error): void {
    this.#error ??= error
    this.#wake()
  }

  #wake(): void {
    this.#news.resolve()
    if (this.#error === undefined) this.#news = Promise.withResolvers()
  }
}

function lost(holder: string, what: string): MeshError {
  return new MeshError('MESH_HOLDER_LOST', `${holder} ${what}: nothing of it runs; detach it again`)
}

function isAlike(a: PrintedTask, b: PrintedTask): boolean {
  if (a.group !== b.group || a.idempotent !== b.idempotent) return false
  if (a.units === b.units) return true
  return a.units.length === b.units.length && a.units.every((hash, at) => hash === b.units[at])
}
