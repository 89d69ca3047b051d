/**
 * A node: builds the parts and connects them. What each part does is said in its own file.
 */
import { EventEmitter } from 'node:events'
import { join } from 'node:path'
import { Printer } from '../codec/print/print.ts'
import { MeshKeys } from './network/mesh-keys.ts'
import type { HelloMessage, Message } from '../protocol/messages.ts'
import { VERSION } from './version.ts'
import { MeshError } from './errors.ts'
import { Executor } from './executor/executor.ts'
import { Calls } from './run/calls.ts'
import { claimIdentity, type Identity, stateFolder } from './identity.ts'
import { type CallOptions, type CallTarget, resolveCall } from './run/call-target.ts'
import { callOf, type Job, type JobLike, type JobValue, withPrinted } from './run/job.ts'
import { type DetachOptions, type FindOptions, Held } from './held/held.ts'
import type { AttachedRun, AttachOptions } from './held/held-attach.ts'
import type { DetachedRun } from './held/held-detach.ts'
import type { HeldRunInfo } from './held/held-find.ts'
import { type Journal, openJournal } from './memory/journal.ts'
import { createLocalLinks } from './local-link.ts'
import { mapJobs } from './run/map-jobs.ts'
import { Memories } from './memory/memories.ts'
import type { Network } from './network/network.ts'
import { describeRun, type DistNodeEvents, type PeerStatus } from './node-events.ts'
import {
  type NodeOptions,
  type ResolvedNodeOptions,
  resolveNodeOptions,
  type ResumeOptions,
  type RunOptions
} from './options.ts'
import type { JobResult } from './run/result.ts'
import type { Run } from './run/run.ts'
import type { Session, SessionEnd } from './network/session.ts'
import { Submitter } from './run/submitter.ts'
import { waitForPeers } from './wait-for-peers.ts'
import { untilQuiet } from './network/until-quiet.ts'
import { type WorkerSource, startWorkerSource } from './executor/worker-source.ts'
/** Turns a password and a mesh name into keys. */
export type DeriveKeys = (password: string, mesh: string) => Promise<MeshKeys>
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
  readonly #options: ResolvedNodeOptions
  readonly #identity: Identity
  readonly #folder: string
  readonly #workers: WorkerSource | undefined
  readonly #deriveKeys: DeriveKeys
  readonly #executor: Executor | undefined
  readonly #printer: Printer
  readonly #submitter: Submitter
  readonly #held: Held
  readonly #calls = new Calls((jobs) => this.run(jobs, { label: 'call' }))
  /** What peers said last of how much they lend, and how much of it is busy. */
  readonly #credit = new Map<string, { slots: number; busy: number }>()
  /** Peers that were announced: a new connection to one of them is no news. */
  readonly #joined = new Set<string>()
  #network: Network | undefined
  #stopped = false

  private constructor(init: {
    options: ResolvedNodeOptions
    identity: Identity
    folder: string
    workers: WorkerSource | undefined
    deriveKeys: DeriveKeys
  }) {
    super()
    this.#options = init.options
    this.#identity = init.identity
    this.#folder = init.folder
    this.#workers = init.workers
    this.#deriveKeys = init.deriveKeys
    this.#printer = new Printer({
      cacheDirectory: join(init.folder, 'bundles'),
      onWarning: ({ message }) => this.emit('warning', message)
    })
    this.journal = openJournal(init.folder)
    this.#submitter = new Submitter({
      printer: this.#printer,
      memories: new Memories({
        printer: this.#printer,
        journal: this.journal,
        folder: init.folder,
        onWarning: (message) => this.emit('warning', message)
      }),
      onLog: (line) => this.emit('log', line)
    })
    this.#held = new Held({
      self: { peer: this.peerId, node: this.name },
      submitter: this.#submitter,
      folder: init.folder,
      hold: init.options.hold,
      onWarning: (message) => this.emit('warning', message),
      onHeld: (run) =>
        this.emit('run-held', { run: run.id, label: run.label, node: run.from, jobs: run.jobs }),
      onHolderLost: (run, node) => this.emit('holder-lost', { run, node }),
      onHolderFound: (run, node) => this.emit('holder-found', { run, node })
    })
    if (init.workers !== undefined) {
      const { workers } = init
      this.#executor = new Executor(
        {
          takeWorker: () => workers.take(),
          onRunStarted: (run) => this.emit('run-started', describeRun(run)),
          onRunEnded: (run) => this.emit('run-ended', describeRun(run))
        },
        init.options.slots
      )
      if (init.options.local) this.#addLocalExecutor(this.#executor)
    }
  }

  /** @internal use {@link createDistNode} */
  static async create(
    options: NodeOptions | undefined,
    deriveKeys: DeriveKeys = (password, mesh) => MeshKeys.derive(password, mesh)
  ): Promise<DistNode> {
    const resolved = resolveNodeOptions(options)
    const folder = stateFolder(resolved.dir)
    const [identity, workers] = await Promise.all([
      claimIdentity(folder),
      resolved.slots > 0 ? startWorkerSource(resolved, folder) : undefined
    ])
    return new DistNode({ options: resolved, identity, folder, workers, deriveKeys })
  }

  /** libp2p id of this node, the same after a restart. */
  get peerId(): string {
    return this.#identity.peerId
  }

  /** How this node is called in lists and results: the option `name`. */
  get name(): string {
    return this.#options.name
  }

  /** Public name of the mesh: the option `mesh`. */
  get mesh(): string {
    return this.#options.mesh
  }

  /** Jobs this node runs at once. */
  get slots(): number {
    return this.#executor?.slots ?? 0
  }

  /** Slots that are running something now, for whomever. */
  get busy(): number {
    return this.#executor?.busy ?? 0
  }

  /** Whether this node lends nothing at present: see {@link DistNode.pauseLending}. */
  get paused(): boolean {
    return this.#executor?.paused ?? false
  }

  /**
   * Lends nothing until {@link DistNode.resumeLending}, not even to runs of its own: running jobs go on to their end,
   * waiting ones are given back to their submitters, who see no slots here. The node stays in the mesh.
   *
   * @example powerMonitor.on('on-battery', () => node.pauseLending())
   */
  pauseLending(): void {
    this.#executor?.pause()
  }

  /** Lends its slots again. */
  resumeLending(): void {
    this.#executor?.resume()
  }

  /** Level of the sandbox jobs run in here; `none` where no slot is lent. */
  get sandbox(): string {
    return this.#workers?.sandbox.level ?? 'none'
  }

  /** What the owner of this machine should know about its sandbox. */
  get sandboxNotes(): readonly string[] {
    return this.#workers?.sandbox.notes ?? []
  }

  /** Multiaddrs at which other nodes can reach this one; empty before {@link start}. */
  get addresses(): string[] {
    return this.#network?.addresses() ?? []
  }

  /** The nodes this one is connected to now. */
  get peers(): PeerStatus[] {
    return this.#network === undefined
      ? []
      : [...this.#network.sessions].map((session) => this.#describe(session))
  }

  /** Joins the mesh; without a password there is none to join. `createDistNode` does this unless told not to. */
  async start(): Promise<this> {
    const { password, mesh, listen, peers, mdns, sameHost } = this.#options
    this.#held.restore()
    if (password === undefined || this.#network !== undefined) return this
    // Loaded here because libp2p takes longer to load than a job on this machine takes to run.
    const [{ Network }, keys] = await Promise.all([
      import('./network/network.ts'),
      this.#deriveKeys(password, mesh)
    ])
    this.#network = await Network.start({
      identity: this.#identity,
      keys,
      mesh,
      folder: this.#folder,
      listen,
      peers,
      mdns,
      sameHost,
      hello: () => this.#hello(),
      events: {
        onJoined: (session) => this.#onJoined(session),
        onMessage: (session, message) => this.#onMessage(session, message),
        onRtt: (session, rttMs) => this.#submitter.changeExecutor(session.peer, { rttMs }),
        onLeft: (session, end) => this.#onLeft(session, end),
        onRefused: (refusal) => this.emit('peer-refused', refusal),
        onUnreachable: (peer) => this.emit('peer-unreachable', peer),
        onWarning: (message) => this.emit('warning', message)
      }
    })
    return this
  }

  /**
   * Uses another password from now on. Peers that proved one which is not accepted any more are disconnected.
   *
   * @param password like the option `password`
   * @throws {UsageError} when it cannot be used; the old one then stays
   */
  async changePassword(password: string): Promise<void> {
    this.#network?.changeKeys(await this.#deriveKeys(password, this.#options.mesh))
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
    if (this.#network !== undefined) await untilQuiet(this.#network, options)
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
    return this.#submitter.run(jobs as Iterable<JobLike<JobValue<J>>>, options)
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
    return this.#submitter.run(jobs as Iterable<JobLike<JobValue<J>>>, options, resumption)
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
    return this.#submitter.run(mapJobs(fn, inputs) as Iterable<JobLike<Awaited<T>>>, options)
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
      const printed = await this.#printer.print(callOf(work), 'call')
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
    const answers = [...this.#submitter.executors]
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
   * read and printed here first. Resolves when the other node has everything on its disk.
   *
   * @throws {MeshError} `MESH_NO_HOLDER` or `MESH_HOLDER_LOST`
   * @throws {PrintError} when a job cannot travel
   * @example const { id } = await node.detach(jobs, { label: 'overnight' })
   */
  detach(
    jobs: Iterable<JobLike> | AsyncIterable<JobLike>,
    options: DetachOptions = {}
  ): Promise<DetachedRun> {
    return this.#held.detach(jobs, options)
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
    return this.#held.attach<T>(id, options)
  }

  /**
   * Ends a detached run: its jobs are stopped wherever they run; results so far can still be had.
   *
   * @param id what {@link detach} returned, or its beginning
   * @returns how it stands now; a run that had ended before stays what it was
   * @throws {MeshError} `MESH_RUN_UNKNOWN` or `MESH_HOLDER_LOST`
   */
  cancel(id: string, options: FindOptions = {}): Promise<HeldRunInfo> {
    return this.#held.cancel(id, options)
  }

  /** The detached runs that the nodes of the mesh hold now, this one included. */
  heldRuns(options: FindOptions = {}): Promise<HeldRunInfo[]> {
    return this.#held.list(options)
  }

  /** Ends this node's runs, gives jobs of others 10 s (`drainMs`) to end, says goodbye. */
  async stop(reason = 'stopped'): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    // First, so that no held run takes the place of one that ends now.
    const heldClosed = this.#held.close()
    this.#submitter.stop(new MeshError('MESH_STOPPED', 'the node was stopped'))
    await Promise.all([heldClosed, this.#drain()])
    await this.#network?.stop(reason)
    await this.#executor?.stop()
    await this.#workers?.stop()
    await this.#identity.release()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #drain(): Promise<void> {
    if (this.#executor === undefined) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, this.#options.drainMs)
    await Promise.race([this.#executor.drain(), promise])
    clearTimeout(timer)
  }

  /** This node's own slots are one more executor for its runs. */
  #addLocalExecutor(executor: Executor): void {
    const { left, right } = createLocalLinks(this.peerId, this.name, {
      onLeft: (link, message) => this.#submitter.onMessage(link, message),
      onRight: (link, message) => executor.onMessage(link, message)
    })
    this.#submitter.addExecutor(left, executor.slots, 0)
    executor.addLink(right)
  }

  #hello(): HelloMessage {
    return {
      type: 'hello',
      version: VERSION,
      name: this.name,
      slots: this.#options.lend ? this.slots : 0,
      sandbox: this.#options.lend ? this.sandbox : 'none',
      runtime: { node: process.versions.node, platform: process.platform, arch: process.arch },
      ...(this.#held.holds ? { holds: true } : {})
    }
  }

  #onJoined(session: Session): void {
    if (this.#options.lend) this.#executor?.addLink(session)
    if (session.hello.slots > 0) this.#submitter.addExecutor(session, session.hello.slots, session.rttMs)
    this.#held.addSession(session, () => this.#network?.isSameHost(session.peer) === true)
    if (this.#joined.has(session.peer)) return
    this.#joined.add(session.peer)
    this.emit('peer-joined', this.#describe(session))
  }

  #onMessage(session: Session, message: Message): Promise<void> | undefined {
    if (message.type === 'credit') this.#credit.set(session.peer, message)
    this.#submitter.onMessage(session, message)
    this.#held.onMessage(session, message)
    return this.#executor?.onMessage(session, message)
  }

  #onLeft(session: Session, end: SessionEnd): void {
    this.#submitter.removeExecutor(session)
    this.#held.removeSession(session)
    this.#executor?.removeLink(session)
    if (end.kind === 'replaced' || this.#stopped) return
    this.#joined.delete(session.peer)
    this.emit('peer-left', this.#describe(session), end.reason)
    this.#credit.delete(session.peer)
  }

  #describe(session: Session): PeerStatus {
    const { peer: id, name, address, epoch, rttMs, hello } = session
    const { sandbox, version } = hello
    const { slots, busy } = this.#credit.get(id) ?? { slots: hello.slots, busy: 0 }
    const sources = this.#network?.sourcesOf(id) ?? []
    return { id, name, address, slots, busy, sandbox, version, epoch, rttMs, sources }
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
