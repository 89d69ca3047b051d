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
import { type AddressSource, DialPlan, withoutPeerId } from './dial-plan.ts'
import type { Identity } from './identity.ts'
import type { PeerId } from './link.ts'
import { KnownPeers } from './known-peers.ts'
import { isOwnIp } from './local-addresses.ts'
import type { MeshKeys } from './mesh-keys.ts'
import { SameHostBoard } from './same-host.ts'
import { Session, type SessionEnd } from './session.ts'
import { Transport } from './transport.ts'

/** How often the dialling loop looks for dials that are due. */
const DIAL_LOOP_MS = 100

/** All of a dial: connection, Noise, stream, password proof, hello. */
const DIAL_TIMEOUT_MS = 10_000

/** A session that takes the place of another must be there by then. */
const REPLACEMENT_TIMEOUT_MS = 3_000

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
  readonly #sessions = new Map<PeerId, Session>()
  readonly #connections = new Map<Session, Connection>()
  readonly #guesses: GuessLimits
  /** Peers that dialled us and have not finished the handshake. */
  readonly #proving = new Set<PeerId>()
  #keys: MeshKeys
  readonly #running = new Set<Promise<void>>()
  readonly #stopping = new AbortController()
  #transport!: Transport
  #board: SameHostBoard | undefined
  #loop: NodeJS.Timeout | undefined

  private constructor(init: NetworkInit) {
    this.#init = init
    this.#keys = init.keys
    this.#plan = new DialPlan(init.identity.peerId)
    this.#known = new KnownPeers(init.folder, init.mesh)
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

  addresses(): string[] {
    return this.#transport.addresses()
  }

  /** Uses other passwords from now on, and ends the sessions with peers that proved one that counts no more. */
  changeKeys(keys: MeshKeys): void {
    this.#keys = keys
    this.#plan.retryAll(performance.now())
    const epochs = new Set(keys.accepted().map(({ epoch }) => epoch))
    for (const session of this.#sessions.values()) {
      if (!epochs.has(session.epoch)) void session.close('the password of the mesh was changed')
    }
  }

  async stop(reason: string): Promise<void> {
    this.#stopping.abort(new Error('stopped'))
    clearInterval(this.#loop)
    await this.#board?.close()
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
      mdns,
      meshHash,
      onFound: (peer) => this.#plan.learn(peer, 'mdns', performance.now()),
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
    this.#loop = setInterval(() => this.#dialDue(), DIAL_LOOP_MS)
    this.#dialDue()
  }

  /** @returns whether there was anything new in it */
  #learn(peer: { id: string; addresses: readonly string[] }, source: 'same-host' | 'exchange'): boolean {
    const news = this.#plan.learn(peer, source, performance.now())
    if (news) this.#dialDue()
    return news
  }

  #dialDue(): void {
    if (this.#stopping.signal.aborted) return
    // A peer that is proving itself to us at this moment need not be dialled.
    const isConnected = (id: PeerId): boolean => this.#sessions.has(id) || this.#proving.has(id)
    for (const dial of this.#plan.due(performance.now(), isConnected)) this.#track(this.#dial(dial))
  }

  async #dial({ key, addresses }: { key: string; addresses: string[] }): Promise<void> {
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)])
    try {
      const { stream, connection } = await this.#transport.dial(addresses, signal)
      const peer = connection.remotePeer.toString()
      if (this.#sessions.has(peer)) {
        // It dialled us meanwhile.
        stream.abort(new Error('connected already'))
        this.#plan.onDialled(key, peer, withoutPeerId(connection.remoteAddr.toString()))
        return
      }
      const running = this.#converse(stream, connection, 'dialler', () =>
        this.#plan.onDialled(
          key,
          connection.remotePeer.toString(),
          withoutPeerId(connection.remoteAddr.toString())
        )
      )
      await running
    } catch (error) {
      const refused = REFUSALS.some((kind) => error instanceof kind)
      this.#plan.onFailed(
        key,
        refused ? 'refused' : isBusy(error) ? 'busy' : 'unreachable',
        performance.now()
      )
      if (!refused && !this.#stopping.signal.aborted) this.#reportUnreachable(key, addresses, error)
    }
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
    }
    onOpened?.()
    this.#connections.set(session, connection)
    if (this.#register(session)) {
      events.onJoined(session)
      this.#introduce(session)
      const end = await session.run({
        onMessage: (message) => this.#onMessage(session, message),
        onRtt: (rttMs) => events.onRtt(session, rttMs)
      })
      this.#unregister(session, end)
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

  /** One session per peer: of two, the one that the smaller id dialled; of two of the same dialler, the newer. */
  #register(session: Session): boolean {
    const current = this.#sessions.get(session.peer)
    if (current !== undefined) {
      const smaller = [this.#init.identity.peerId, session.peer].toSorted()[0]
      if (current.dialler !== session.dialler && current.dialler === smaller) return false
      void current.replace()
      this.#init.events.onLeft(current, { kind: 'replaced' })
    }
    this.#sessions.set(session.peer, session)
    return true
  }

  #unregister(session: Session, end: SessionEnd): void {
    if (this.#sessions.get(session.peer) !== session) return
    this.#sessions.delete(session.peer)
    this.#plan.onDisconnected(session.peer, performance.now())
    this.#init.events.onLeft(session, end)
    if (end.kind !== 'replaced') return
    // The session that replaces this one is a moment behind; if it does not come, the peer is gone after all.
    setTimeout(() => {
      if (this.#sessions.has(session.peer) || this.#stopping.signal.aborted) return
      this.#init.events.onLeft(session, { kind: 'lost', reason: 'closed the connection' })
    }, REPLACEMENT_TIMEOUT_MS).unref()
  }

  #onMessage(session: Session, message: Message): Promise<void> | undefined {
    if (message.type !== 'peers') return this.#init.events.onMessage(session, message)
    this.#onPeers(session, message.peers)
    return undefined
  }

  /** Tells a new peer where this node and the others are: multicast does not reach everywhere. */
  #introduce(session: Session): void {
    const self = { id: this.#init.identity.peerId, addresses: this.addresses() }
    const others = this.#plan.known().filter(({ id }) => id !== session.peer && this.#sessions.has(id))
    session.send({ type: 'peers', peers: [self, ...others] })
  }

  #onPeers(from: Session, peers: readonly { id: string; addresses: readonly string[] }[]): void {
    for (const { id, addresses } of peers) {
      // Somebody else's loopback is not ours.
      const usable = addresses.filter((address) => isLoopback(from.address) || !isLoopback(address))
      const peer = { id, addresses: usable }
      const news = this.#learn(peer, 'exchange')
      if (id !== from.peer) continue
      this.#known.remember(peer)
      // What this node knew already, from multicast say, the others know as well.
      if (!news) continue
      for (const other of this.#sessions.values()) {
        if (other !== from) other.send({ type: 'peers', peers: [peer] })
      }
    }
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

function isLoopback(address: string): boolean {
  return /^\/ip4\/127\.|^\/ip6\/::1\//.test(address)
}

function elapsed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
