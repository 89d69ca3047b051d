/**
 * The way to other peers: finds them, dials them, lets them in when they know the password, and keeps one session
 * with each.
 */
import { createHash } from 'node:crypto'
import type { Connection, Stream } from '@libp2p/interface'
import type { HelloMessage, Message } from '../../protocol/messages.ts'
import { labelOf, serviceName } from './announcement.ts'
import { announcementListener, type MakeListener } from './announcement-listener.ts'
import { ConnectionUses } from './connection-uses.ts'
import { type AddressSource, DialPlan } from './dial-plan.ts'
import type { Identity } from '../identity.ts'
import type { PeerId } from '../link.ts'
import { Heartbeat } from './heartbeat.ts'
import { KnownPeers } from './known-peers.ts'
import { DialLoop } from './dial-loop.ts'
import { Dialler, peerIdIn, type Unreachable } from './dialler.ts'
import { Discovery } from './discovery.ts'
import { defaultListen } from './lan-interfaces.ts'
import type { MeshKeys } from './mesh-keys.ts'
import { PacketBudget } from './packet-budget.ts'
import { PeerExchange } from './peer-exchange.ts'
import { SameHostBoard } from './same-host.ts'
import { type Refusal, SessionOpener } from './session-opener.ts'
import { SessionTable } from './session-table.ts'
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

/** Why a peer and this node do not talk to each other. */
export class Network {
  readonly #init: NetworkInit
  readonly #plan: DialPlan
  readonly #known: KnownPeers
  readonly #loop: DialLoop
  readonly #exchange: PeerExchange
  readonly #sessions: SessionTable
  readonly #uses = new ConnectionUses()
  readonly #opener: SessionOpener
  #keys: MeshKeys
  readonly #running = new Set<Promise<void>>()
  readonly #stopping = new AbortController()
  #transport!: Transport
  #board: SameHostBoard | undefined
  #discovery: Discovery | undefined
  #heartbeat: Heartbeat | undefined
  #newsMs = performance.now()

  private constructor(init: NetworkInit) {
    this.#init = init
    this.#keys = init.keys
    const self = init.identity.peerId
    this.#plan = new DialPlan(self)
    this.#known = new KnownPeers(init.folder, init.mesh)
    this.#sessions = new SessionTable(self, init.events.onLeft.bind(init.events))
    this.#opener = new SessionOpener({
      localPeer: self,
      keys: () => this.#keys,
      hello: init.hello,
      signal: this.#stopping.signal,
      onProven: (connection) => this.#transport.onProven(connection),
      onRefused: (refusal) => {
        this.#newsMs = performance.now()
        init.events.onRefused(refusal)
      },
      onWarning: init.events.onWarning.bind(init.events)
    })
    const dialler = new Dialler({
      plan: this.#plan,
      signal: this.#stopping.signal,
      connect: (addresses, signal) => this.#transport.dial(addresses, signal),
      converse: (stream, connection, onOpened) => this.#converse(stream, connection, 'dialler', onOpened),
      hasSession: (peer) => this.#sessions.has(peer),
      onEnd: () => this.#loop.wake(),
      onUnreachable: init.events.onUnreachable.bind(init.events)
    })
    this.#loop = new DialLoop(this.#plan, this.#isConnected, (dial) => this.#track(dialler.dial(dial)))
    this.#exchange = new PeerExchange({
      self: () => ({ id: self, addresses: this.addresses() }),
      sessions: () => this.#sessions.values(),
      known: () => this.#plan.known().filter(({ id }) => this.#sessions.has(id)),
      learn: (peer) => this.#learn(peer, 'exchange'),
      remember: (peer) => this.#known.remember(peer)
    })
  }

  static async start(init: NetworkInit): Promise<Network> {
    const network = new Network(init)
    await network.#start()
    return network
  }

  get sessions(): Iterable<Session> {
    return this.#sessions.values()
  }

  /** Whether a peer is a node of this user on this machine, as far as is known by now. */
  isSameHost(peer: PeerId): boolean {
    return this.#plan.sourcesOf(peer).includes('same-host')
  }

  /** Milliseconds since a peer was last heard of, joined or refused; 0 while one is being connected to. */
  get quietMs(): number {
    if (this.#opener.proving > 0 || this.#plan.isSearching(this.#isConnected)) return 0
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
    for (const session of this.#sessions.values()) {
      if (!epochs.has(session.epoch)) void session.close('the password of the mesh was changed')
    }
  }

  async stop(reason: string): Promise<void> {
    this.#stopping.abort(new Error('stopped'))
    this.#loop.close()
    this.#exchange.close()
    this.#heartbeat?.close()
    this.#sessions.close()
    await Promise.all([this.#board?.close(), this.#discovery?.stop()])
    const goodbyes = [...this.#sessions.values()].map((session) => session.close(reason))
    await Promise.race([Promise.allSettled(goodbyes), elapsed(STOP_TIMEOUT_MS)])
    await this.#transport.stop()
    await Promise.allSettled(this.#running)
    await this.#known.save()
  }

  async #start(): Promise<void> {
    const { identity, listen = defaultListen(), mdns, mesh, peers } = this.#init
    const meshHash = createHash('sha256').update(`dist-node/mesh\0${mesh}`).digest('hex').slice(0, 16)
    this.#transport = await Transport.start({
      privateKey: identity.privateKey,
      listen,
      peers,
      ...(mdns ? { listener: this.#listener(meshHash) } : {}),
      onStream: (stream, connection) => this.#track(this.#converse(stream, connection, 'listener'))
    })
    for (const address of peers) this.#plan.learn({ id: peerIdIn(address), addresses: [address] }, 'user', 0)
    for (const peer of await this.#known.load()) this.#plan.learn(peer, 'remembered', 0)
    const self = { id: identity.peerId, addresses: this.addresses() }
    if (this.#init.sameHost) {
      const onFound = (peer: { id: string; addresses: readonly string[] }): void => {
        this.#learn(peer, 'same-host')
      }
      this.#board = await SameHostBoard.open({ ...self, meshHash }, onFound)
    }
    if (mdns) {
      this.#discovery = await Discovery.start({
        peerId: identity.peerId,
        meshHash,
        addresses: () => this.addresses(),
        countPeers: () => this.#sessions.size,
        onFound: (peer) => this.#learn(peer, 'mdns'),
        onWarning: this.#init.events.onWarning.bind(this.#init.events)
      })
    }
    this.#heartbeat = new Heartbeat(() => this.#sessions.values())
    this.#loop.wake()
  }

  /** What is announced before discovery has begun is asked for by discovery again. */
  #listener(meshHash: string): MakeListener {
    const budget = new PacketBudget(labelOf(meshHash), performance.now())
    return announcementListener(serviceName(meshHash), budget, (peer, source) =>
      this.#discovery?.onAnnounced(peer, source)
    )
  }

  /** A peer that is proving itself to us at this moment need not be dialled. */
  readonly #isConnected = (id: PeerId): boolean => this.#sessions.has(id) || this.#opener.isProving(id)

  /** @returns whether there was anything new in it */
  #learn(peer: { id: string; addresses: readonly string[] }, source: AddressSource): boolean {
    const news = this.#plan.learn(peer, source, performance.now())
    if (news) {
      this.#newsMs = performance.now()
      this.#loop.wake()
    }
    return news
  }

  /**
   * One stream from the password proof to its end. As dialler it throws what made the handshake fail.
   *
   * @param onOpened the peer is connected to, by this stream or by another one
   */
  async #converse(
    stream: Stream,
    connection: Connection,
    role: 'dialler' | 'listener',
    onOpened: () => void = () => undefined
  ): Promise<void> {
    this.#uses.begin(connection)
    if (role === 'dialler' && this.#sessions.has(connection.remotePeer.toString())) {
      // It dialled us meanwhile.
      stream.abort(new Error('connected already'))
      onOpened()
      return this.#uses.end(connection)
    }
    let session: Session
    try {
      session = await this.#opener.open(stream, connection, role)
    } catch (error) {
      await this.#uses.end(connection, error as Error)
      if (role === 'dialler') throw error
      return
    } finally {
      this.#loop.wake()
    }
    onOpened()
    await this.#keep(session)
    await this.#uses.end(connection)
  }

  /** From the hellos of a session to its end. */
  async #keep(session: Session): Promise<void> {
    if (!this.#sessions.enter(session)) return session.replace()
    const { events } = this.#init
    this.#newsMs = performance.now()
    events.onJoined(session)
    this.#exchange.introduce(session)
    const end = await session.run({
      onMessage: (message) => this.#onMessage(session, message),
      onRtt: (rttMs) => events.onRtt(session, rttMs)
    })
    if (this.#sessions.remove(session, end)) this.#onDisconnected(session.peer, end)
  }

  #onDisconnected(peer: PeerId, end: SessionEnd): void {
    this.#plan.onDisconnected(peer, performance.now())
    this.#loop.wake()
    if (end.kind === 'lost') this.#discovery?.lookAgain()
  }

  #onMessage(session: Session, message: Message): Promise<void> | undefined {
    if (message.type !== 'peers') return this.#init.events.onMessage(session, message)
    this.#exchange.onPeers(session, message.peers)
    return undefined
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
