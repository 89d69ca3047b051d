/**
 * The way to other peers: finds them, dials them, lets them in when they know the password, and keeps one session
 * with each.
 */
import { createHash } from 'node:crypto'
import type { Connection, Stream } from '@libp2p/interface'
import {
  BusyError,
  ChannelClosedError,
  EpochError,
  HandshakeError,
  OtherMeshError,
  ProtocolError,
  VersionError,
  WrongPasswordError
} from '../protocol/errors.ts'
import { GuessLimits } from '../protocol/guess-limits.ts'
import type { HelloMessage, Message } from '../protocol/messages.ts'
import { openChannel } from '../protocol/open-channel.ts'
import { serviceName } from './announcement.ts'
import { announcementListener, type MakeListener } from './announcement-listener.ts'
import { type AddressSource, DialPlan, withoutPeerId } from './dial-plan.ts'
import type { Identity } from './identity.ts'
import type { PeerId } from './link.ts'
import { KnownPeers } from './known-peers.ts'
import { DialLoop } from './dial-loop.ts'
import { Discovery } from './discovery.ts'
import { isOwnIp } from './local-addresses.ts'
import type { MeshKeys } from './mesh-keys.ts'
import { PeerExchange } from './peer-exchange.ts'
import { SameHostBoard } from './same-host.ts'
import { SessionTable } from './session-table.ts'
import { BEAT_EVERY_MS, Session, type SessionEnd } from './session.ts'
import { Transport } from './transport.ts'

/** All of a dial: connection, Noise, stream, password proof, hello. */
const DIAL_TIMEOUT_MS = 15_000

/** Time for goodbyes at the end. */
const STOP_TIMEOUT_MS = 2_000

export interface NetworkInit {
  readonly identity: Identity
  readonly keys: MeshKeys
  readonly mesh: string
  readonly folder: string
  readonly listen: readonly string[]
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
export interface Refusal {
  /** Multiaddr of the peer. */
  readonly address: string
  /** Such as `WRONG_PASSWORD`; all of them are in docs/errors.md. */
  readonly code: string
  /** The same in words, with what to do. */
  readonly message: string
}

/** The same again would have the same answer. */
const REFUSALS = [EpochError, OtherMeshError, VersionError, WrongPasswordError]

/** A peer that is heard of but does not answer. */
export interface Unreachable {
  /** Unknown for an address that was typed without one. */
  readonly id?: string
  /** Multiaddrs that were tried. */
  readonly addresses: readonly string[]
  /** How this node heard of it. */
  readonly sources: readonly AddressSource[]
  /** What the last try failed with. */
  readonly error: unknown
}

/** Failures nobody needs to hear of: neighbours' meshes, and connections that break or are not welcome just now. */
const QUIET = [OtherMeshError, BusyError, ChannelClosedError, HandshakeError]

export class Network {
  readonly #init: NetworkInit
  readonly #plan: DialPlan
  readonly #known: KnownPeers
  readonly #loop: DialLoop
  readonly #exchange: PeerExchange
  readonly #sessions: SessionTable
  readonly #connections = new Map<Session, Connection>()
  readonly #guesses: GuessLimits
  /** Peers that dialled us and have not finished the handshake. */
  readonly #proving = new Set<PeerId>()
  #keys: MeshKeys
  readonly #running = new Set<Promise<void>>()
  readonly #stopping = new AbortController()
  #transport!: Transport
  #board: SameHostBoard | undefined
  #discovery: Discovery | undefined
  #heartbeat: NodeJS.Timeout | undefined

  private constructor(init: NetworkInit) {
    this.#init = init
    this.#keys = init.keys
    const self = init.identity.peerId
    this.#plan = new DialPlan(self)
    this.#known = new KnownPeers(init.folder, init.mesh)
    this.#sessions = new SessionTable(self, init.events.onLeft.bind(init.events))
    // A peer that is proving itself to us at this moment need not be dialled.
    const isConnected = (id: PeerId): boolean => this.#sessions.has(id) || this.#proving.has(id)
    this.#loop = new DialLoop(this.#plan, isConnected, (dial) => this.#track(this.#dial(dial)))
    this.#exchange = new PeerExchange({
      self: () => ({ id: self, addresses: this.addresses() }),
      sessions: () => this.#sessions.values(),
      known: () => this.#plan.known().filter(({ id }) => this.#sessions.has(id)),
      learn: (peer) => this.#learn(peer, 'exchange'),
      remember: (peer) => this.#known.remember(peer)
    })
    this.#guesses = new GuessLimits({
      isLocal: isOwnIp,
      onAlarm: (failures) =>
        init.events.onWarning(`${failures} wrong passwords within an hour: somebody is guessing`)
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
    clearInterval(this.#heartbeat)
    this.#sessions.close()
    await Promise.all([this.#board?.close(), this.#discovery?.stop()])
    const goodbyes = [...this.#sessions.values()].map((session) => session.close(reason))
    await Promise.race([Promise.allSettled(goodbyes), elapsed(STOP_TIMEOUT_MS)])
    await this.#transport.stop()
    await Promise.allSettled(this.#running)
    await this.#known.save()
  }

  async #start(): Promise<void> {
    const { identity, listen, mdns, mesh, peers } = this.#init
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
    this.#heartbeat = setInterval(() => {
      for (const session of this.#sessions.values()) session.beat()
    }, BEAT_EVERY_MS)
    this.#loop.wake()
  }

  /** What is announced before discovery has begun is asked for by discovery again. */
  #listener(meshHash: string): MakeListener {
    return announcementListener(serviceName(meshHash), (peer, source) =>
      this.#discovery?.onAnnounced(peer, source)
    )
  }

  /** @returns whether there was anything new in it */
  #learn(peer: { id: string; addresses: readonly string[] }, source: AddressSource): boolean {
    const news = this.#plan.learn(peer, source, performance.now())
    if (news) this.#loop.wake()
    return news
  }

  async #dial({ key, addresses }: { key: string; addresses: string[] }): Promise<void> {
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)])
    try {
      const { stream, connection } = await this.#transport.dial(addresses, signal)
      const peer = connection.remotePeer.toString()
      if (this.#sessions.has(peer)) {
        // It dialled us meanwhile.
        stream.abort(new Error('connected already'))
        this.#onDialled(key, connection)
        return
      }
      await this.#converse(stream, connection, 'dialler', () => this.#onDialled(key, connection))
    } catch (error) {
      const refused = REFUSALS.some((kind) => error instanceof kind)
      this.#plan.onFailed(
        key,
        refused ? 'refused' : isBusy(error) ? 'busy' : 'unreachable',
        performance.now()
      )
      this.#loop.wake()
      if (!refused && !this.#stopping.signal.aborted) this.#reportUnreachable(key, addresses, error)
    }
  }

  #onDialled(key: string, { remotePeer, remoteAddr }: Connection): void {
    const address = withoutPeerId(remoteAddr.toString())
    this.#plan.onDialled(key, remotePeer.toString(), address, performance.now())
    this.#loop.wake()
  }

  #reportUnreachable(key: string, addresses: readonly string[], error: unknown): void {
    const id = peerIdIn(addresses[0] ?? '')
    if (id !== undefined && this.#sessions.has(id)) return
    this.#init.events.onUnreachable({
      ...(id === undefined ? {} : { id }),
      addresses: addresses.map(withoutPeerId),
      sources: this.#plan.sourcesOf(key),
      error
    })
  }

  /** One stream from the password proof to its end. As dialler it throws what made the handshake fail. */
  async #converse(
    stream: Stream,
    connection: Connection,
    role: 'dialler' | 'listener',
    onOpened?: () => void
  ): Promise<void> {
    const { identity, hello, events } = this.#init
    const remotePeer = connection.remotePeer.toString()
    const address = withoutPeerId(connection.remoteAddr.toString())
    const direction = role === 'dialler' ? 'outbound' : 'inbound'
    const guard = this.#guesses.guard(direction, ipAddress(address), remotePeer)
    let session: Session
    if (role === 'listener') this.#proving.add(remotePeer)
    try {
      const where = { address, localPeer: identity.peerId }
      const signal = this.#stopping.signal
      const channel = await openChannel(stream, {
        key: this.#keys.accepted(),
        role,
        localPeer: identity.peerId,
        remotePeer,
        guard,
        signal
      })
      this.#transport.onProven(connection)
      session = await Session.open(channel, hello(), where)
    } catch (error) {
      this.#onHandshakeFailed(error, connection, address)
      if (role === 'dialler') throw error
      return
    } finally {
      this.#proving.delete(remotePeer)
      this.#loop.wake()
    }
    onOpened?.()
    this.#connections.set(session, connection)
    if (this.#sessions.enter(session)) {
      events.onJoined(session)
      this.#exchange.introduce(session)
      const end = await session.run({
        onMessage: (message) => this.#onMessage(session, message),
        onRtt: (rttMs) => events.onRtt(session, rttMs)
      })
      if (this.#sessions.remove(session, end)) this.#onDisconnected(session.peer, end)
    } else {
      await session.replace()
    }
    this.#connections.delete(session)
    // Of two sessions over one connection, the other one goes on.
    if (![...this.#connections.values()].includes(connection)) await connection.close().catch(() => undefined)
  }

  #onHandshakeFailed(error: unknown, connection: Connection, address: string): void {
    connection.abort(error instanceof Error ? error : new Error(String(error)))
    if (this.#stopping.signal.aborted || QUIET.some((kind) => error instanceof kind)) return
    if (error instanceof ProtocolError) {
      this.#init.events.onRefused({ address, code: error.code, message: error.message })
    }
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

function peerIdIn(address: string): string | undefined {
  return /\/p2p\/([^/]+)$/.exec(address)?.[1]
}

/** TCP connected, so somebody is there; what came after took too long. */
function isBusy(error: unknown): boolean {
  const names = ['EncryptionFailedError', 'MuxerUnavailableError', 'HandshakeError', 'BusyError']
  return error instanceof Error && names.includes(error.name)
}

/** The IP address in `/ip4/192.168.1.20/tcp/4001`. */
function ipAddress(address: string): string {
  return address.split('/')[2] ?? address
}

function elapsed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
