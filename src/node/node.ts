/**
 * A node as its owner sees it. The parts behind it are built in node-parts.ts.
 */
import { EventEmitter } from 'node:events'
import { MeshError } from './errors.ts'
import { type Ground, prepareGround } from './ground.ts'
import type { DetachOptions, FindOptions } from './held/held.ts'
import type { AttachedRun, AttachOptions } from './held/held-attach.ts'
import type { DetachedRun } from './held/held-detach.ts'
import type { HeldRunInfo } from './held/held-find.ts'
import type { Journal } from './memory/journal.ts'
import { untilQuiet } from './network/until-quiet.ts'
import type { DistNodeEvents, PeerStatus } from './node-events.ts'
import type { NodeParts } from './node-parts.ts'
import { type NodeOptions, resolveNodeOptions, type ResumeOptions, type RunOptions } from './options.ts'
import { type CallOptions, type CallTarget, resolveCall } from './run/call-target.ts'
import { Calls } from './run/calls.ts'
import { callOf, type Job, type JobLike, type JobValue, withPrinted } from './run/job.ts'
import { mapJobs } from './run/map-jobs.ts'
import type { JobResult } from './run/result.ts'
import type { Run } from './run/run.ts'
import { waitForPeers } from './wait-for-peers.ts'

/**
 * One running node, made by {@link createDistNode}. It submits runs, lends slots to those of others, and tells what
 * happens by events.
 *
 * @example
 * await using node = await createDistNode({ password })
 * node.on('peer-joined', ({ name, slots }) => console.log(`${name} lends ${slots} slots`))
 */
export class DistNode extends EventEmitter<DistNodeEvents> implements AsyncDisposable {
  /** The runs of this node's folder. */
  readonly journal: Journal
  readonly #ground: Ground
  readonly #parts: NodeParts
  readonly #calls = new Calls((jobs) => this.run(jobs, { label: 'call' }))

  private constructor(ground: Ground, Parts: typeof NodeParts) {
    super()
    this.#ground = ground
    this.#parts = new Parts(ground, this)
    this.journal = this.#parts.journal
  }

  /** @internal use {@link createDistNode} */
  static async create(options: NodeOptions | undefined): Promise<DistNode> {
    // Loaded while the first worker process starts: parser, printer and all take nearly as long.
    const [ground, { NodeParts }] = await Promise.all([
      prepareGround(resolveNodeOptions(options)),
      import('./node-parts.ts')
    ])
    return new DistNode(ground, NodeParts)
  }

  /** libp2p id of this node, the same after a restart. */
  get peerId(): string {
    return this.#ground.identity.peerId
  }

  /** How this node is called in lists and results: the option `name`. */
  get name(): string {
    return this.#ground.name
  }

  /** Public name of the mesh: the option `mesh`. */
  get mesh(): string {
    return this.#ground.options.mesh
  }

  /** Jobs this node runs at once. */
  get slots(): number {
    return this.#parts.executor?.slots ?? 0
  }

  /** Slots that are running something now, for whomever. */
  get busy(): number {
    return this.#parts.executor?.busy ?? 0
  }

  /** Whether this node lends nothing at present: see {@link DistNode.pauseLending}. */
  get paused(): boolean {
    return this.#parts.executor?.paused ?? false
  }

  /**
   * Lends nothing until {@link DistNode.resumeLending}, not even to runs of its own: running jobs go on to their end,
   * waiting ones are given back to their submitters, who see no slots here. The node stays in the mesh.
   *
   * @example powerMonitor.on('on-battery', () => node.pauseLending())
   */
  pauseLending(): void {
    this.#parts.executor?.pause()
  }

  /** Lends its slots again. */
  resumeLending(): void {
    this.#parts.executor?.resume()
  }

  /** Level of the sandbox jobs run in here; `none` where no slot is lent. */
  get sandbox(): string {
    return this.#ground.workers?.sandbox.level ?? 'none'
  }

  /** What the owner of this machine should know about its sandbox. */
  get sandboxNotes(): readonly string[] {
    return this.#ground.workers?.sandbox.notes ?? []
  }

  /** Multiaddrs at which other nodes can reach this one; empty before {@link start}. */
  get addresses(): string[] {
    return this.#parts.network?.addresses() ?? []
  }

  /** The nodes this one is connected to now. */
  get peers(): PeerStatus[] {
    return this.#parts.peers
  }

  /** Joins the mesh; without a password there is none to join. `createDistNode` does this unless told not to. */
  async start(): Promise<this> {
    await this.#parts.join()
    return this
  }

  /**
   * Uses another password from now on. Peers that proved one which is not accepted any more are disconnected.
   *
   * @param password like the option `password`
   * @throws {UsageError} when it cannot be used; the old one then stays
   */
  async changePassword(password: string): Promise<void> {
    await this.#parts.changePassword(password)
  }

  /**
   * Resolves when `peers` tells who is there: every peer heard of has been tried, and nothing has happened for a moment.
   * A node that hears nobody takes a second, because packets get lost.
   *
   * @param options.timeoutMs how long to wait at most, in milliseconds; default 3 000
   * @example
   * await node.whenSettled()
   * console.log(node.peers.map(({ name }) => name))
   */
  async whenSettled(options: { timeoutMs?: number; signal?: AbortSignal } = {}): Promise<void> {
    if (this.#parts.network !== undefined) await untilQuiet(this.#parts.network, options)
  }

  /**
   * Resolves when at least `count` peers that lend slots are connected.
   *
   * @param options.timeoutMs how long to wait, in milliseconds; default 10 000
   * @throws {MeshError} `MESH_TOO_FEW_PEERS` after that time
   */
  async waitForPeers(
    count: number,
    options: { timeoutMs?: number; signal?: AbortSignal } = {}
  ): Promise<void> {
    await waitForPeers(this, count, options)
  }

  /**
   * Runs jobs on the mesh; iterate over what it returns to get the results in completion order.
   *
   * @example for await (const { index, value } of node.run(words.map((word) => () => whiten(word)))) show(index, value)
   */
  run<J extends JobLike>(jobs: Iterable<J> | AsyncIterable<J>, options?: RunOptions): Run<JobValue<J>> {
    return this.#parts.submitter.run(jobs as Iterable<JobLike<JobValue<J>>>, options)
  }

  /**
   * Goes on with a run that was made with the option `journal`, by this process or an earlier one: jobs whose results are
   * in the journal are not run again, their results come from there, marked `from: 'journal'`. Jobs are recognised by
   * their code and what they were given, so those that changed since are run.
   *
   * @param id the run's id, or its beginning; see `node.journal.runs()`
   * @param jobs the jobs of the run once more, all of them
   * @param options as for {@link run}; `retryFailed` runs failed jobs again too
   * @throws {JournalError} `JOURNAL_UNKNOWN_RUN`; iterating throws `JOURNAL_IN_USE` when another process goes on with it
   * @example for await (const { index, value } of node.resume('3f2a', jobs)) show(index, value)
   */
  resume<J extends JobLike>(
    id: string,
    jobs: Iterable<J> | AsyncIterable<J>,
    { retryFailed = false, ...options }: ResumeOptions = {}
  ): Run<JobValue<J>> {
    const resumption = { id: this.journal.run(id).id, retryFailed }
    return this.#parts.submitter.run(jobs as Iterable<JobLike<JobValue<J>>>, options, resumption)
  }

  /**
   * Calls `fn` with each input, on whichever peers are free. The function is printed once.
   *
   * @example const thumbnails = await node.map(resize, pictures).all()
   */
  map<I, T>(
    fn: (input: I) => T,
    inputs: Iterable<I> | AsyncIterable<I>,
    options?: RunOptions
  ): Run<Awaited<T>> {
    return this.#parts.submitter.run(mapJobs(fn, inputs) as Iterable<JobLike<Awaited<T>>>, options)
  }

  /**
   * Calls one function somewhere in the mesh. Calls that follow one another within a second share worker processes.
   *
   * With a job in place of a function it has the job's options and may be aborted.
   *
   * @throws what it throws
   * @throws {PrintError} when the function or an argument cannot travel
   * @example
   * const answer = await node.call(findPrime, 10n ** 40n)
   * const sooner = await node.call(job(findPrime, [10n ** 40n], { timeoutMs: 5_000 }), { signal })
   */
  async call<T>(work: Job<T>, options?: CallOptions): Promise<Awaited<T>>
  async call<A extends unknown[], T>(fn: (...args: A) => T, ...args: A): Promise<Awaited<T>>
  async call<T>(first: CallTarget<T>, ...rest: unknown[]): Promise<Awaited<T>> {
    const { work, signal } = resolveCall(first, rest)
    if (signal === undefined) {
      // Here and not by the run: what cannot travel fails this call and not those beside it, and by the next call what
      // the function captured may have changed.
      const printed = await this.#parts.printer.print(callOf(work), 'call')
      return (await this.#calls.call(withPrinted(work, printed))) as Awaited<T>
    }
    const [value] = await this.run([work], { signal, label: 'call' }).all()
    return value as Awaited<T>
  }

  /**
   * Calls a function once on every executor; an answer, good or bad, from each that stays. With a job in place of a
   * function it has the job's options and may be aborted.
   *
   * @throws {PrintError} when the function or an argument cannot travel
   * @example const loads = await node.everywhere(() => process.memoryUsage.rss())
   */
  async everywhere<T>(work: Job<T>, options?: CallOptions): Promise<JobResult<Awaited<T>>[]>
  async everywhere<A extends unknown[], T>(
    fn: (...args: A) => T,
    ...args: A
  ): Promise<JobResult<Awaited<T>>[]>
  async everywhere<T>(first: CallTarget<T>, ...rest: unknown[]): Promise<JobResult<Awaited<T>>[]> {
    const { work, signal } = resolveCall(first, rest)
    const aborted = signal === undefined ? {} : { signal }
    const answers = [...this.#parts.submitter.executors]
      .filter(({ slots }) => slots > 0)
      .map(async ({ link }) => {
        const results: JobResult<Awaited<T>>[] = []
        const run = this.run([work], { only: [link.peer], waitMs: 0, ...aborted })
        try {
          for await (const result of run) results.push(result)
        } catch (error) {
          // A peer that is lost meanwhile gives no answer.
          if (!(error instanceof MeshError)) throw error
        }
        return results
      })
    return (await Promise.all(answers)).flat()
  }

  /**
   * Hands jobs to a node that stays (one made with `hold`, as `dist-node start` is), which sees them through whatever
   * becomes of this one: a node of this machine if there is one, else the peer with most slots that takes them. All jobs are
   * read and printed here first. Resolves when the other node has everything on its disk. If that node is lost before, an
   * array of jobs is handed over anew, twice at most; other inputs cannot be read again.
   *
   * @throws {MeshError} `MESH_NO_HOLDER`, or `MESH_HOLDER_LOST`: the message says whether it may have the run all the same
   * @throws {PrintError} when a job cannot travel
   * @example const { id } = await node.detach(jobs, { label: 'overnight' })
   */
  detach(
    jobs: Iterable<JobLike> | AsyncIterable<JobLike>,
    options: DetachOptions = {}
  ): Promise<DetachedRun> {
    return this.#parts.held.detach(jobs, options)
  }

  /**
   * Follows a detached run, from any node of the mesh: all its results, those from before too, each once. When the node
   * that holds it is lost, this waits until it is back (event `holder-lost`). Instances of classes of your program arrive as
   * their data: the classes are not known here.
   *
   * @param id what {@link detach} returned, or its beginning
   * @example for await (const { index, value } of node.attach<number>(id)) console.log(index, value)
   */
  attach<T = unknown>(id: string, options: AttachOptions = {}): AttachedRun<T> {
    return this.#parts.held.attach<T>(id, options)
  }

  /**
   * Ends a detached run: its jobs are stopped wherever they run; results so far can still be had.
   *
   * @param id what {@link detach} returned, or its beginning
   * @returns how it stands now; a run that had ended before stays what it was
   * @throws {MeshError} `MESH_RUN_UNKNOWN` or `MESH_HOLDER_LOST`
   */
  cancel(id: string, options: FindOptions = {}): Promise<HeldRunInfo> {
    return this.#parts.held.cancel(id, options)
  }

  /** The detached runs that the nodes of the mesh hold now, this one included. */
  heldRuns(options: FindOptions = {}): Promise<HeldRunInfo[]> {
    return this.#parts.held.list(options)
  }

  /** Ends this node's runs, gives jobs of others 10 s (`drainMs`) to end, says goodbye. */
  async stop(reason = 'stopped'): Promise<void> {
    await this.#parts.stop(reason, new MeshError('MESH_STOPPED', 'the node was stopped'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

/**
 * Makes a node. With a password it joins the mesh of everybody who knows it; without one it works on this machine
 * alone.
 *
 * @param options.start `false`: do not join yet; runs use this machine's slots until `node.start()` has joined
 * @throws {UsageError} when an option cannot be used
 * @example
 * await using node = await createDistNode({ password, slots: 0 })
 * await node.waitForPeers(2)
 * for await (const { index, value } of node.run(jobs)) console.log(index, value)
 */
export async function createDistNode(options: NodeOptions & { start?: boolean } = {}): Promise<DistNode> {
  const { start = true, ...rest } = options
  const node = await DistNode.create(rest)
  return start ? node.start() : node
}
