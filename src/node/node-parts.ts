/**
 * The parts of a node, built and connected here and nowhere else. What each does is said in its own file; what users see
 * of them, in node.ts.
 */
import type { EventEmitter } from 'node:events'
import { join } from 'node:path'
import { Printer } from '../codec/print/print.ts'
import type { HelloMessage, Message } from '../protocol/messages.ts'
import { Executor } from './executor/executor.ts'
import type { Ground } from './ground.ts'
import { Held } from './held/held.ts'
import { createLocalLinks } from './local-link.ts'
import { type Journal, openJournal } from './memory/journal.ts'
import { Memories } from './memory/memories.ts'
import { MeshKeys } from './network/mesh-keys.ts'
import type { Network } from './network/network.ts'
import type { Session, SessionEnd } from './network/session.ts'
import { describeRun, type DistNodeEvents, type PeerStatus } from './node-events.ts'
import { Submitter } from './run/submitter.ts'
import { VERSION } from './version.ts'

export class NodeParts {
  readonly printer: Printer
  readonly journal: Journal
  readonly submitter: Submitter
  readonly held: Held
  readonly executor: Executor | undefined
  readonly #ground: Ground
  readonly #events: EventEmitter<DistNodeEvents>
  /** What peers said last of how much they lend, and how much of it is busy. */
  readonly #credit = new Map<string, { slots: number; busy: number }>()
  /** Peers that were announced: a new connection to one of them is no news. */
  readonly #joined = new Set<string>()
  #network: Network | undefined
  #joining: Promise<void> | undefined
  #stopping: Promise<void> | undefined

  /** @param events where the node's owner listens */
  constructor(ground: Ground, events: EventEmitter<DistNodeEvents>) {
    const { options, folder, identity, workers } = ground
    this.#ground = ground
    this.#events = events
    const onWarning = (message: string): void => void events.emit('warning', message)
    this.printer = new Printer({
      cacheDirectory: join(folder, 'bundles'),
      onWarning: ({ message }) => onWarning(message)
    })
    this.journal = openJournal(folder)
    this.submitter = new Submitter({
      printer: this.printer,
      memories: new Memories({ printer: this.printer, journal: this.journal, folder, onWarning }),
      onLog: (line) => events.emit('log', line)
    })
    this.held = new Held({
      self: { peer: identity.peerId, node: ground.name },
      submitter: this.submitter,
      folder,
      hold: options.hold,
      onWarning,
      onHeld: (run) =>
        events.emit('run-held', { run: run.id, label: run.label, node: run.from, jobs: run.jobs }),
      onHolderLost: (run, node) => events.emit('holder-lost', { run, node }),
      onHolderFound: (run, node) => events.emit('holder-found', { run, node })
    })
    if (workers !== undefined) {
      this.executor = new Executor(
        {
          takeWorker: () => workers.take(),
          onRunStarted: (run) => events.emit('run-started', describeRun(run)),
          onRunEnded: (run) => events.emit('run-ended', describeRun(run))
        },
        options.slots
      )
      if (options.local) this.#addLocalExecutor(this.executor)
    }
  }

  /** The way to other peers; undefined while the node works alone. */
  get network(): Network | undefined {
    return this.#network
  }

  get peers(): PeerStatus[] {
    if (this.#network === undefined) return []
    this.#network.attend()
    return [...this.#network.sessions].map((session) => this.#describe(session))
  }

  /** Goes on with the runs this node holds, and joins the mesh if there is a password; once, unless it fails. */
  join(): Promise<void> {
    if (this.#stopping !== undefined) return Promise.resolve()
    this.held.restore()
    this.#joining ??= this.#join().catch((error: unknown) => {
      this.#joining = undefined
      throw error
    })
    return this.#joining
  }

  async changePassword(password: string): Promise<void> {
    const keys = await MeshKeys.derive(password, this.#ground.options.mesh)
    await this.#joining
    this.#network?.changeKeys(keys)
  }

  /** @param error what the runs of this node end with */
  stop(reason: string, error: Error): Promise<void> {
    this.#stopping ??= this.#stop(reason, error)
    return this.#stopping
  }

  async #join(): Promise<void> {
    const { options, identity, folder } = this.#ground
    const { password, mesh, listen, peers, mdns, sameHost } = options
    if (password === undefined) return
    // Loaded here because libp2p takes longer to load than a job on this machine takes to run.
    const [{ Network }, keys] = await Promise.all([
      import('./network/network.ts'),
      MeshKeys.derive(password, mesh)
    ])
    this.#network = await Network.start({
      identity,
      keys,
      mesh,
      folder,
      ...(listen === undefined ? {} : { listen }),
      peers,
      mdns,
      sameHost,
      hello: () => this.#hello(),
      events: {
        onJoined: (session) => this.#onJoined(session),
        onMessage: (session, message) => this.#onMessage(session, message),
        onRtt: (session, rttMs) => this.submitter.changeExecutor(session.peer, { rttMs }),
        onLeft: (session, end) => this.#onLeft(session, end),
        onRefused: (refusal) => this.#events.emit('peer-refused', refusal),
        onUnreachable: (peer) => this.#events.emit('peer-unreachable', peer),
        onWarning: (message) => this.#events.emit('warning', message)
      }
    })
  }

  async #stop(reason: string, error: Error): Promise<void> {
    const { identity, options, workers } = this.#ground
    // First, so that no held run takes the place of one that ends now.
    const heldClosed = this.held.close(error)
    this.submitter.stop(error)
    await Promise.all([heldClosed, this.executor?.drain(options.drainMs)])
    // Of a node that is still joining there is nothing to stop yet.
    await this.#joining?.catch(() => undefined)
    await this.#network?.stop(reason)
    await this.executor?.stop()
    await workers?.stop()
    await this.journal.whenPruned()
    await identity.release()
  }

  /** This node's own slots are one more executor for its runs. */
  #addLocalExecutor(executor: Executor): void {
    const { identity, name } = this.#ground
    const { left, right } = createLocalLinks(identity.peerId, name, {
      onLeft: (link, message) => this.submitter.onMessage(link, message),
      onRight: (link, message) => executor.onMessage(link, message)
    })
    this.submitter.addExecutor(left, executor.slots, 0)
    executor.addLink(right)
  }

  #hello(): HelloMessage {
    const { options, name, workers } = this.#ground
    return {
      type: 'hello',
      version: VERSION,
      name,
      slots: options.lend ? (this.executor?.slots ?? 0) : 0,
      sandbox: options.lend ? (workers?.sandbox.level ?? 'none') : 'none',
      runtime: { node: process.versions.node, platform: process.platform, arch: process.arch },
      ...(this.held.holds ? { holds: true } : {})
    }
  }

  #onJoined(session: Session): void {
    if (this.#ground.options.lend) this.executor?.addLink(session)
    if (session.hello.slots > 0) this.submitter.addExecutor(session, session.hello.slots, session.rttMs)
    this.held.addSession(session, () => this.#network?.isSameHost(session.peer) === true)
    if (this.#joined.has(session.peer)) return
    this.#joined.add(session.peer)
    this.#events.emit('peer-joined', this.#describe(session))
  }

  #onMessage(session: Session, message: Message): Promise<void> | undefined {
    if (message.type === 'credit') this.#credit.set(session.peer, message)
    this.submitter.onMessage(session, message)
    this.held.onMessage(session, message)
    return this.executor?.onMessage(session, message)
  }

  #onLeft(session: Session, end: SessionEnd): void {
    this.submitter.removeExecutor(session)
    this.held.removeSession(session)
    this.executor?.removeLink(session)
    if (end.kind === 'replaced' || this.#stopping !== undefined) return
    this.#joined.delete(session.peer)
    this.#events.emit('peer-left', this.#describe(session), end.reason)
    this.#credit.delete(session.peer)
  }

  #describe(session: Session): PeerStatus {
    const { peer: id, name, address, epoch, rttMs, silentMs, hello } = session
    const { sandbox, version } = hello
    const { slots, busy } = this.#credit.get(id) ?? { slots: hello.slots, busy: 0 }
    const sources = this.#network?.sourcesOf(id) ?? []
    return { id, name, address, slots, busy, sandbox, version, epoch, rttMs, silentMs, sources }
  }
}
