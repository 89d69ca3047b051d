/** Follows a held run from wherever its holder is, for as long as it takes. */
import type { HeldRunStatus } from '../../protocol/held-messages.ts'
import type { Message } from '../../protocol/messages.ts'
import { MeshError } from '../errors.ts'
import { foreignResultReader } from '../run/foreign-result.ts'
import type { HeldClient, HeldListener } from './held-client.ts'
import { FIND_WAIT_MS, findHeldRun, unknownRun } from './held-find.ts'
import { type FollowedResult, HeldFollowing } from './held-following.ts'
import { inInputOrder } from '../run/input-order.ts'
import type { Link } from '../link.ts'
import { resolveWaitMs } from '../option-checks.ts'
import { type JobResult, readResult } from '../run/result.ts'
import type { RunProgress } from '../run/run-tally.ts'

/** How a held run is followed. */
export interface AttachOptions {
  /** Results in input order instead of the order in which they came. @default false */
  ordered?: boolean
  /**
   * How long to look for the node that holds the run, at the start and whenever it is away, in milliseconds.
   *
   * @default 10 000 at the start, no limit later
   */
  waitMs?: number
  /** Ends following, and iterating throws the signal's reason. The run goes on. */
  signal?: AbortSignal
}

interface AttachParts {
  readonly client: HeldClient
  /** The holder is away; it is waited for. */
  readonly onAway: (run: string, holder: string) => void
  readonly onBack: (run: string, holder: string) => void
}

/**
 * The results of a run that another node holds: those from before, then as they come. Iterate once. Leaving the loop
 * ends following; the run goes on.
 *
 * @example for await (const { index, value } of node.attach(id)) console.log(index, value)
 */
export class AttachedRun<T = unknown> implements AsyncIterable<JobResult<T>> {
  readonly #parts: AttachParts
  readonly #prefix: string
  readonly #options: AttachOptions
  readonly #following = new HeldFollowing()
  readonly #byNode = new Map<string, number>()
  readonly #read = foreignResultReader()
  /** Of this conversation; another one after each interruption, so that nothing old is taken for new. */
  #number: number
  #id = ''
  #succeeded = 0
  #failed = 0
  #last: HeldRunStatus | undefined
  /** The holder, while it is there. */
  #link: Link | undefined
  #holder = ''
  #error: unknown
  #news = Promise.withResolvers<void>()
  #patience: NodeJS.Timeout | undefined
  #isStarted = false

  /** @internal use `node.attach` */
  constructor(parts: AttachParts, prefix: string, options: AttachOptions) {
    this.#parts = parts
    this.#prefix = prefix
    this.#options = options
    this.#number = parts.client.nextNumber()
  }

  /** Empty until the run was found. */
  get id(): string {
    return this.#id
  }

  /** What the run is called; empty until it was found. */
  get label(): string {
    return this.#last?.label ?? ''
  }

  /** Name of the node that holds it; empty until it was found. */
  get holder(): string {
    return this.#holder
  }

  /** How the run stands, as its holder said last; `undefined` until it was found. */
  get status(): HeldRunStatus | undefined {
    return this.#last
  }

  /** Counts of the results that came here, as of a run of one's own. */
  get progress(): RunProgress {
    const jobs = this.#last?.jobs
    return {
      taken: jobs ?? 0,
      succeeded: this.#succeeded,
      failed: this.#failed,
      remembered: 0,
      total: jobs,
      byNode: this.#byNode
    }
  }

  /**
   * Yields every result once, those of failed jobs too.
   *
   * @throws {MeshError} `MESH_RUN_UNKNOWN`, `MESH_HOLDER_LOST`, and after all results that there are: `MESH_RUN_FAILED`,
   *   `MESH_RUN_CANCELLED`
   */
  [Symbol.asyncIterator](): AsyncGenerator<JobResult<T>, void, void> {
    const results = this.#results()
    return this.#options.ordered === true ? inInputOrder(results) : results
  }

  async *#results(): AsyncGenerator<JobResult<T>, void, void> {
    if (this.#isStarted) throw new TypeError('an attached run can be iterated once')
    this.#isStarted = true
    const { signal, waitMs = FIND_WAIT_MS } = this.#options
    const { client } = this.#parts
    const found = await findHeldRun(client, this.#prefix, { waitMs, signal })
    this.#id = found.id
    this.#holder = found.holder
    const abort = (): void => this.#fail(signal?.reason)
    signal?.addEventListener('abort', abort, { once: true })
    if (signal?.aborted === true) abort()
    const stop = client.listen(this.#listener)
    this.#startPatience(waitMs)
    try {
      yield* this.#follow()
    } finally {
      stop()
      clearTimeout(this.#patience)
      signal?.removeEventListener('abort', abort)
      this.#link?.send({ type: 'run-close', run: this.#number })
    }
  }

  async *#follow(): AsyncGenerator<JobResult<T>, void, void> {
    for (;;) {
      const followed = this.#following.take()
      if (followed !== undefined) yield this.#toResult(followed)
      const position = this.#following.advance()
      if (position !== undefined) this.#link?.send({ type: 'taken', run: this.#number, position })
      if (followed !== undefined) continue
      if (this.#error !== undefined) throw this.#error
      if (this.#following.state === 'over') return this.#finish()
      if (this.#following.state === 'damaged') throw this.#failure('has lost some of its results')
      if (this.#following.state === 'again') this.#followFrom(0)
      await this.#news.promise
      this.#news = Promise.withResolvers()
    }
  }

  readonly #listener: HeldListener = {
    onHolderJoined: ({ link }) => {
      if (this.#link === undefined) this.#ask(link)
    },
    onHolderLost: (link) => {
      if (link === this.#link) this.#onLost()
    },
    onMessage: (link, message) => this.#onMessage(link, message)
  }

  #onMessage(link: Link, message: Message): void {
    if (!('run' in message) || message.run !== this.#number) return
    if (message.type === 'followed') return this.#onStatus(link, message.status)
    if (link !== this.#link) return
    if (message.type === 'chunk') this.#following.onChunk(message)
    else if (message.type === 'results') this.#following.onResults(message.results)
    if (this.#following.isExcessive) this.#fail(this.#failure('sends more than it was asked for'))
    this.#wake()
  }

  #onStatus(link: Link, status: HeldRunStatus | undefined): void {
    if (status?.id !== this.#id) {
      // Of others the answer means that they do not hold it.
      if (link === this.#link) this.#fail(unknownRun(this.#id, [link.name]))
      return
    }
    if (this.#link === undefined) this.#onFound(link)
    else if (link !== this.#link) return link.send({ type: 'run-close', run: this.#number })
    this.#last = status
    this.#following.onStatus(status)
    this.#wake()
  }

  #onFound(link: Link): void {
    this.#link = link
    clearTimeout(this.#patience)
    if (this.#last !== undefined) this.#parts.onBack(this.#id, link.name)
    this.#holder = link.name
  }

  #onLost(): void {
    this.#link = undefined
    this.#number = this.#parts.client.nextNumber()
    this.#following.restart()
    this.#parts.onAway(this.#id, this.#holder)
    this.#startPatience(this.#options.waitMs)
    for (const { link } of this.#parts.client.holders) this.#ask(link)
  }

  /** Whoever has the run answers with its status, and then its results. */
  #ask(link: Link): void {
    const { position } = this.#following
    link.send({ type: 'follow', run: this.#number, id: this.#id, position })
  }

  #followFrom(position: number): void {
    const link = this.#link
    this.#following.restart(position)
    if (link === undefined) return
    link.send({ type: 'run-close', run: this.#number })
    this.#number = this.#parts.client.nextNumber()
    this.#ask(link)
  }

  #startPatience(waitMs: number | undefined): void {
    clearTimeout(this.#patience)
    if (waitMs === undefined) return
    this.#patience = setTimeout(() => {
      const message = `${this.#holder}, which holds run ${this.#id}, did not come back within ${waitMs / 1000} s; the run goes on when it does`
      this.#fail(new MeshError('MESH_HOLDER_LOST', message))
    }, resolveWaitMs(waitMs))
  }

  #finish(): void {
    if (this.#last?.state === 'cancelled') {
      throw new MeshError('MESH_RUN_CANCELLED', `run ${this.#id} was cancelled`)
    }
    if (this.#last?.state === 'failed') throw this.#failure(`could not see it through: ${this.#last.reason}`)
  }

  #failure(what: string): MeshError {
    return new MeshError('MESH_RUN_FAILED', `run ${this.#id}: ${this.#holder}, which holds it, ${what}`)
  }

  #toResult({ outcome, peer, node }: FollowedResult): JobResult<T> {
    const { job: index, attempt, ok, micros } = outcome
    if (ok) this.#succeeded++
    else this.#failed++
    this.#byNode.set(node, (this.#byNode.get(node) ?? 0) + 1)
    return readResult<T>(outcome, { index, peer, node, attempt, ms: micros / 1000 }, this.#read)
  }

  #fail(error: unknown): void {
    this.#error ??= error
    this.#wake()
  }

  #wake(): void {
    this.#news.resolve()
  }
}
