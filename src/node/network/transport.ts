/**
 * The libp2p recipe: TCP, Noise, Yamux, an ear for multicast DNS, and limits for a LAN. Nothing else of libp2p is used: no
 * identify, no DHT, no relay, no auto-dialler.
 */
import type { Connection, ConnectionGater, PeerId, Stream } from '@libp2p/interface'
import { PROTOCOL } from '../../protocol/limits.ts'
import { createLibp2p, type Libp2p, multiaddr, noise, privateKeyFromProtobuf, tcp, yamux } from './libp2p.ts'
import { type MakeListener, noListener } from './announcement-listener.ts'
import { ConnectionGate, GATE_LIMITS } from './connection-gate.ts'
import { thrifty, updateWindowSeldom } from './thrifty.ts'
import { keepKeys } from './noise-keys.ts'
import { quietLogger } from './quiet-logger.ts'

/** A cheap filter: other libp2p programs fail at the Noise handshake already. Not a secret. */
const NOISE_PROLOGUE = new TextEncoder().encode('dist-node/1')

/** All of a stranger's time before it has shown that it speaks the protocol. */
const NEGOTIATION_TIMEOUT_MS = 5_000

/** A LAN peer answers at once, by its kernel: an address that does not must not use up the time of the others. */
const CONNECT_TIMEOUT_MS = 1_500

/** Of `net.connect`; libp2p's types know some of them only. */
const SOCKET_OPTIONS = { noDelay: true, timeout: CONNECT_TIMEOUT_MS }

/** TCP and Noise. Once connected somebody is there, and may be busy: to hang up would make it do all of it again. */
const ADDRESS_DIAL_TIMEOUT_MS = 6_000

/** All addresses of a peer. */
const DIAL_TIMEOUT_MS = 10_000

/** From the connection to the proof of the password; then it is cut. */
const PROOF_TIMEOUT_MS = 8_000

/** One for each peer of the largest mesh, and some for strangers and replacements. */
const MAX_CONNECTIONS = 1_280

/** What libp2p remembers of peers we dialled; our own lists are elsewhere. */
const PEER_STORE = { maxAddressAge: 10 * 60_000, maxPeerAge: 30 * 60_000 }

export interface TransportInit {
  readonly privateKey: Uint8Array
  readonly listen: readonly string[]
  /** Peers the user typed: the only ones that are dialled outside the LAN. */
  readonly peers?: readonly string[]
  /** From a connection to its {@link Transport.onProven}, in milliseconds; 0: no limit. @default 8_000 */
  readonly proofTimeoutMs?: number
  /** Hears who announces itself by multicast DNS. @default nothing does */
  readonly listener?: MakeListener
  /** A peer opened the protocol's stream to us. */
  readonly onStream: (stream: Stream, connection: Connection) => void
}

export class Transport {
  readonly #libp2p: Libp2p
  readonly #gate: ConnectionGate
  readonly #proofTimers = new Map<string, NodeJS.Timeout>()

  private constructor(libp2p: Libp2p, gate: ConnectionGate, proofTimeoutMs: number) {
    this.#libp2p = libp2p
    this.#gate = gate
    if (proofTimeoutMs > 0) {
      libp2p.addEventListener('connection:open', ({ detail }) => this.#awaitProof(detail, proofTimeoutMs))
    }
    libp2p.addEventListener('connection:close', ({ detail }) => this.#stopAwaiting(detail))
  }

  static async start(init: TransportInit): Promise<Transport> {
    const gate = new ConnectionGate({ typedPeers: init.peers ?? [], listen: init.listen })
    const libp2p: Libp2p = await createLibp2p({
      ...quietLogger(),
      privateKey: privateKeyFromProtobuf(init.privateKey),
      addresses: { listen: [...init.listen] },
      transports: [
        tcp({
          backlog: 256,
          maxConnections: MAX_CONNECTIONS,
          inboundSocketInactivityTimeout: 60_000,
          dialOpts: SOCKET_OPTIONS
        })
      ],
      connectionEncrypters: [thrifty(keepKeys(noise({ prologueBytes: NOISE_PROLOGUE })))],
      streamMuxers: [
        yamux({
          // We have our own heartbeat.
          enableKeepAlive: false,
          maxInboundStreams: 8,
          maxOutboundStreams: 8,
          maxEarlyStreams: 2,
          streamOptions: { initialStreamWindowSize: 256 * 1024, maxStreamWindowSize: 4 * 1024 * 1024 }
        })
      ],
      services: { listener: init.listener ?? noListener },
      peerStore: PEER_STORE,
      connectionManager: {
        maxConnections: MAX_CONNECTIONS,
        maxIncomingPendingConnections: 128,
        inboundConnectionThreshold: 64,
        inboundUpgradeTimeout: NEGOTIATION_TIMEOUT_MS,
        inboundStreamProtocolNegotiationTimeout: NEGOTIATION_TIMEOUT_MS,
        outboundStreamProtocolNegotiationTimeout: NEGOTIATION_TIMEOUT_MS,
        dialTimeout: DIAL_TIMEOUT_MS,
        addressDialTimeout: ADDRESS_DIAL_TIMEOUT_MS,
        maxParallelDials: 8,
        maxDialQueueLength: 64,
        maxPeerAddrsToDial: 8,
        reconnectRetries: 0
      },
      // We have our own heartbeat, which knows a busy peer from a dead one.
      connectionMonitor: { enabled: false },
      connectionGater: makeGater(gate, (peer) => libp2p.getConnections(peer).length)
    })
    // Handlers start before anything is awaited in them: a stream without a listener is reset.
    const onStream = (stream: Stream, connection: Connection): void => {
      updateWindowSeldom(stream)
      init.onStream(stream, connection)
    }
    await libp2p.handle(PROTOCOL, onStream, { maxInboundStreams: 2, maxOutboundStreams: 2 })
    return new Transport(libp2p, gate, init.proofTimeoutMs ?? PROOF_TIMEOUT_MS)
  }

  /** Where this node can be reached, as multiaddrs with its peer id. */
  addresses(): string[] {
    return this.#libp2p.getMultiaddrs().map(String)
  }

  /** Connects to a peer at any of the addresses and opens the protocol's stream. */
  async dial(
    addresses: readonly string[],
    signal: AbortSignal
  ): Promise<{ stream: Stream; connection: Connection }> {
    const connection = await this.#libp2p.dial(
      addresses.map((address) => multiaddr(address)),
      { signal }
    )
    const stream = await connection.newStream(PROTOCOL, { signal, maxOutboundStreams: 2 })
    updateWindowSeldom(stream)
    return { stream, connection }
  }

  /** The peer at the other end knows the password: from now on it is no stranger. */
  onProven(connection: Connection): void {
    this.#stopAwaiting(connection)
    this.#gate.onProven(connection.remoteAddr.toString())
  }

  async stop(): Promise<void> {
    await this.#libp2p.stop()
    for (const timer of this.#proofTimers.values()) clearTimeout(timer)
  }

  #awaitProof(connection: Connection, timeoutMs: number): void {
    const cut = (): void => {
      this.#proofTimers.delete(connection.id)
      connection.abort(new Error(`no proof of the password within ${timeoutMs / 1000} s`))
    }
    this.#proofTimers.set(connection.id, setTimeout(cut, timeoutMs).unref())
  }

  #stopAwaiting(connection: Connection): void {
    clearTimeout(this.#proofTimers.get(connection.id))
    this.#proofTimers.delete(connection.id)
  }
}

/** What libp2p asks before it lets a connection in or dials one. */
function makeGater(gate: ConnectionGate, connectionsOf: (peer: PeerId) => number): ConnectionGater {
  return {
    denyInboundConnection: (connection) => {
      const address = connection.remoteAddr.toString()
      if (!gate.admit(address)) return true
      connection.addEventListener('close', () => gate.onClosed(address), { once: true })
      return false
    },
    denyInboundUpgradedConnection: (peer) => connectionsOf(peer) >= GATE_LIMITS.perPeer,
    denyDialMultiaddr: (address) => !gate.mayDial(address.toString()),
    filterMultiaddrForPeer: (_peer, address) => gate.mayDial(address.toString())
  }
}
