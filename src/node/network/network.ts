/**
 * The way to other peers: finds them, dials them, lets them in when they know the password, and keeps one session
 * with each.
 */
import type { HelloMessage, Message } from '../../protocol/messages.ts'
import type { Identity } from '../identity.ts'
import type { PeerId } from '../link.ts'
import { Conversations } from './conversations.ts'
import { DialLoop } from './dial-loop.ts'
import { DialPlan } from './dial-plan.ts'
import type { AddressSource } from './dial-target.ts'
import { Dialler, type Unreachable } from './dialler.ts'
import { Heartbeat } from './heartbeat.ts'
import { defaultListen } from './lan-interfaces.ts'
import type { MeshKeys } from './mesh-keys.ts'
import { PeerExchange } from './peer-exchange.ts'
import { PeerSources } from './peer-sources.ts'
import type { Refusal } from './session-opener.ts'
import type { Session, SessionEnd } from './session.ts'
import { Transport } from './transport.ts'

/** Time for goodbyes at the end. */
const STOP_TIMEOUT_MS = 2_000

export interface NetworkInit {
  readonly identity: Identity
  readonly keys: MeshKeys
  readonly mesh: string
  readonly folder: string
  /** @default see {@link defaultListen} */
  readonly listen?: readonly string[]
  readonly peers: readonly string[]
  readonly mdns: boolean
  readonly sameHost: boolean
  readonly hello: () => HelloMessage
  readonly events: NetworkEvents
}

export interface NetworkEvents {
  onJoined(session: Session): void
  onMessage(session: Session, message: Message): Promise<void> | undefined
  onRtt(session: Session, rttMs: number): void
  onLeft(session: Session, end: SessionEnd): void
  /** A peer was turned away, or turned us away. */
  onRefused(refusal: Refusal): void
  /** A peer could not be connected to; it will be tried again. */
  onUnreachable(peer: Unreachable): void
  onWarning(message: string): void
}

/** A node's place in its mesh. All parts of it are built and connected here. */
export class Network {
  readonly #init: NetworkInit
  readonly #plan: DialPlan
  readonly #loop: DialLoop
  readonly #sources: PeerSources
  readonly #conversations: Conversations
  readonly #exchange: PeerExchange
  #keys: MeshKeys
  readonly #running = new Set<Promise<void>>()
  readonly #stopping = new AbortController()
  #transport!: Transport
  #heartbeat: Heartbeat | undefined
  #newsMs = performance.now()

  private constructor(init: NetworkInit) {
    this.#init = init
    this.#keys = init.keys
    const { identity, events, hello, mesh, folder, peers, mdns, sameHost } = init
    const self = identity.peerId
    const { signal } = this.#stopping
    const onWarning = events.onWarning.bind(events)
    this.#plan = new DialPlan(self)
    this.#sources = new PeerSources({
      self,
      mesh,
      plan: this.#plan,
      folder,
      peers,
      mdns,
      sameHost,
      addresses: () => this.addresses(),
      countPeers: () => this.#conversations.size,
      onNews: () => {
        this.#newsMs = performance.now()
        this.#loop.wake()
      },
      onWarning
    })
    this.#conversations = new Conversations({
      localPeer: self,
      keys: () => this.#keys,
      hello,
      signal,
      onProven: (connection) => this.#transport.onProven(connection),
      onHandshakeEnd: () => this.#loop.wake(),
      onRefused: (refusal) => {
        this.#newsMs = performance.now()
        events.onRefused(refusal)
      },
      onJoined: (session) => this.#onJoined(session),
      onMessage: (session, message) => this.#onMessage(session, message),
      onRtt: events.onRtt.bind(events),
      onLeft: events.onLeft.bind(events),
      onDisconnected: (peer, end) => this.#onDisconnected(peer, end),
      onWarning
    })
    const dialler = new Dialler({
      plan: this.#plan,
      signal,
      connect: (addresses, dialSignal) => this.#transport.dial(addresses, dialSignal),
      converse: (stream, connection, onOpened) =>
        this.#conversations.converse(stream, connection, 'dialler', onOpened),
      hasSession: (peer) => this.#conversations.has(peer),
      onEnd: () => this.#loop.wake(),
      onUnreachable: events.onUnreachable.bind(events)
    })
    this.#loop = new DialLoop(this.#plan, this.#conversations.isConnected, (dial) =>
      this.#track(dialler.dial(dial))
    )
    this.#exchange = new PeerExchange({
      self: () => ({ id: self, addresses: this.addresses() }),
      sessions: () => this.sessions,
      known: () => this.#plan.known().filter(({ id }) => this.#conversations.has(id)),
      learn: (peer) => this.#sources.learn(peer, 'exchange'),
      remember: (peer) => this.#sources.remember(peer)
    })
  }

  static async start(init: NetworkInit): Promise<Network> {
    const network = new Network(init)
    await network.#start()
    return network
  }

  get sessions(): Iterable<Session> {
    return this.#conversations.sessions
  }

  /** Whether a peer is a node of this user on this machine, as far as is known by now. */
  isSameHost(peer: PeerId): boolean {
    return this.sourcesOf(peer).includes('same-host')
  }

  /** Milliseconds since a peer was last heard of, joined or refused; 0 while one is being connected to. */
  get quietMs(): number {
    const { isProving, isConnected } = this.#conversations
    if (isProving || this.#plan.isSearching(isConnected)) return 0
    return performance.now() - this.#newsMs
  }

  /** Somebody looks at the peers: what their sessions say of them is to be true at this moment. */
  attend(): void {
    this.#heartbeat?.attend()
  }

  sourcesOf(peer: PeerId): AddressSource[] {
    return this.#plan.sourcesOf(peer)
  }

  addresses(): string[] {
    return this.#transport.addresses()
  }

  /** Uses other passwords from now on, and ends the sessions with peers that proved one that counts no more. */
  changeKeys(keys: MeshKeys): void {
    this.#keys = keys
    this.#plan.retryAll(performance.now())
    this.#loop.wake()
    const epochs = new Set(keys.accepted().map(({ epoch }) => epoch))
    for (const session of this.sessions) {
      if (!epochs.has(session.epoch)) void session.close('the password of the mesh was changed')
    }
  }

  async stop(reason: string): Promise<void> {
    this.#stopping.abort(new Error('stopped'))
    this.#loop.close()
    this.#exchange.close()
    this.#heartbeat?.close()
    await this.#sources.stop()
    await Promise.race([this.#conversations.close(reason), elapsed(STOP_TIMEOUT_MS)])
    await this.#transport.stop()
    await Promise.allSettled(this.#running)
    await this.#sources.save()
  }

  async #start(): Promise<void> {
    const { identity, listen = defaultListen(), peers } = this.#init
    const { listener } = this.#sources
    this.#transport = await Transport.start({
      privateKey: identity.privateKey,
      listen,
      peers,
      ...(listener === undefined ? {} : { listener }),
      onStream: (stream, connection) =>
        this.#track(this.#conversations.converse(stream, connection, 'listener'))
    })
    await this.#sources.start()
    this.#heartbeat = new Heartbeat(() => this.sessions)
    this.#loop.wake()
  }

  #onJoined(session: Session): void {
    this.#newsMs = performance.now()
    this.#init.events.onJoined(session)
    this.#exchange.introduce(session)
  }

  #onMessage(session: Session, message: Message): Promise<void> | undefined {
    if (message.type !== 'peers') return this.#init.events.onMessage(session, message)
    this.#exchange.onPeers(session, message.peers)
    return undefined
  }

  #onDisconnected(peer: PeerId, end: SessionEnd): void {
    this.#plan.onDisconnected(peer, performance.now())
    this.#loop.wake()
    if (end.kind === 'lost') this.#sources.lookAgain()
  }

  #track(task: Promise<void>): void {
    const tracked = task
      .catch(() => undefined)
      .finally(() => {
        this.#running.delete(tracked)
      })
    this.#running.add(tracked)
  }
}

function elapsed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
