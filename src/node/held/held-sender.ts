import { setImmediate as nextTurn } from 'node:timers/promises'
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

/** The holder is gone or silent, and had not got everything: nothing of the run can be running there. */
export class HandOverLost extends MeshError {
  constructor(holder: string, what: string) {
    super('MESH_HOLDER_LOST', `${holder} ${what}: nothing of it runs; detach it again`)
  }
}

/** A submitter's conversation with one holder about one run; disposing of it before the run is stored takes it back. */
export class HeldSender implements Disposable {
  readonly number: number
  readonly #link: Link
  readonly #stop: () => void
  readonly #signal: AbortSignal | undefined
  /** What the holder will check is checked here first: an input without end ends here. */
  readonly #intake = new HeldIntake(0)
  readonly #failure = Promise.withResolvers<never>()
  #answer = Promise.withResolvers<void>()
  #isOpen = true
  #isSent = false

  constructor(client: HeldClient, link: Link, signal: AbortSignal | undefined) {
    this.number = client.nextNumber()
    this.#link = link
    this.#signal = signal
    // It may fail while nobody waits; who waits next is told.
    this.#failure.promise.catch(() => undefined)
    this.#stop = client.listen({
      onHolderLost: (lost) => {
        if (lost === link) this.#fail(new HandOverLost(link.name, 'was lost before it had the whole run'))
      },
      onMessage: (from, message) => void (from === link && this.#onMessage(message))
    })
    signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  get holder(): string {
    return this.#link.name
  }

  /** How many jobs were sent. */
  get jobs(): number {
    return this.#intake.jobs
  }

  /** All of the run is on its way: the holder may have it even if it does not say so any more. */
  get isSent(): boolean {
    return this.#isSent
  }

  /** @returns why the holder does not take the run */
  async open(message: Message): Promise<string | undefined> {
    try {
      await this.#ask(message)
      return undefined
    } catch (error) {
      this.#signal?.throwIfAborted()
      return (error as Error).message
    }
  }

  /** Resolves when the holder has all of it. */
  async sendAll(source: TaskSource): Promise<void> {
    for (const hash of source.setup?.units ?? []) this.#sendBlob(source, hash)
    const isOpen = (): boolean => this.#isOpen
    const sink = {
      get isOpen() {
        return isOpen()
      },
      add: (tasks: PrintedTask[]) => this.#sendTasks(source, tasks)
    }
    for (let isAtEnd = false; !isAtEnd;) {
      isAtEnd = await this.#unlessFailed(source.read(JOBS_PER_TURN, sink))
      await this.#unlessFailed(this.#link.drained())
      // A node that holds its own run is never held back, and must not keep its peers waiting.
      await nextTurn()
    }
    this.#isSent = true
    // From here on only the holder knows whether there is a run.
    this.#signal?.removeEventListener('abort', this.#onAbort)
    await this.#ask({ type: 'hold-end', run: this.number, jobs: this.jobs })
  }

  [Symbol.dispose](): void {
    this.#isOpen = false
    this.#stop()
    this.#signal?.removeEventListener('abort', this.#onAbort)
    if (!this.#isSent) this.#link.send({ type: 'run-close', run: this.number })
  }

  /** Tasks of one message have the same function, time limit and code. */
  #sendTasks(source: TaskSource, tasks: readonly PrintedTask[]): void {
    if (!this.#isOpen) return
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

  async #ask(question: Message): Promise<void> {
    this.#answer = Promise.withResolvers()
    this.#link.send(question)
    const timer = setTimeout(
      () => this.#fail(new HandOverLost(this.holder, 'does not answer')),
      ANSWER_TIMEOUT_MS
    )
    try {
      await this.#unlessFailed(this.#answer.promise)
    } finally {
      clearTimeout(timer)
    }
  }

  #onMessage(message: Message): void {
    if (message.type !== 'held' || message.run !== this.number) return
    if (message.state !== 'refused') return this.#answer.resolve()
    this.#isSent = false
    this.#fail(new MeshError('MESH_NO_HOLDER', message.reason))
  }

  readonly #onAbort = (): void => this.#fail(this.#signal?.reason)

  #fail(error: unknown): void {
    this.#isOpen = false
    this.#failure.reject(error)
  }

  /** Whatever it is that is waited for: an input may hang, too. */
  #unlessFailed<T>(work: Promise<T>): Promise<T> {
    return Promise.race([this.#failure.promise, work])
  }
}

function isAlike(a: PrintedTask, b: PrintedTask): boolean {
  if (a.group !== b.group || a.idempotent !== b.idempotent) return false
  if (a.units === b.units) return true
  return a.units.length === b.units.length && a.units.every((hash, at) => hash === b.units[at])
}
