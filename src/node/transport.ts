/**
 * The libp2p recipe: TCP, Noise, Yamux, mDNS with a service tag of the mesh's own, and limits for a LAN. Nothing else
 * of libp2p is used: no identify, no DHT, no relay, no auto-dialler.
 */
import { noise } from '@chainsafe/libp2p-noise'
import { privateKeyFromProtobuf } from '@libp2p/crypto/keys'
import type { Connection, PeerInfo, Stream } from '@libp2p/interface'
import { mdns } from '@libp2p/mdns'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'
import { PROTOCOL } from '../protocol/limits.ts'

/** A cheap filter: other libp2p programs fail at the Noise handshake already. Not a secret. */
const NOISE_PROLOGUE = new TextEncoder().encode('dist-node/1')

/** How often a node asks the LAN who is there, after the first time. Every answer is a multicast to all. */
const MDNS_INTERVAL_MS = 10_000

/** All of a stranger's time before it has shown that it speaks the protocol. */
const NEGOTIATION_TIMEOUT_MS = 3_000

const DIAL_TIMEOUT_MS = 5_000

/** A LAN peer answers in milliseconds; one address that does not must not use up the time of the others. */
const ADDRESS_DIAL_TIMEOUT_MS = 1_000

export interface TransportInit {
  readonly privateKey: Uint8Array
  readonly listen: readonly string[]
  readonly mdns: boolean
  /** First bytes of the hash of the mesh's name, in hexadecimal: nodes of other meshes do not even hear of us. */
  readonly meshHash: string
  readonly onFound: (peer: { id: string; addresses: string[] }) => void
  /** A peer opened the protocol's stream to us. */
  readonly onStream: (stream: Stream, connection: Connection) => void
}

export class Transport {
  readonly #libp2p: Libp2p

  private constructor(libp2p: Libp2p) {
    this.#libp2p = libp2p
  }

  static async start(init: TransportInit): Promise<Transport> {
    const libp2p = await createLibp2p({
      privateKey: privateKeyFromProtobuf(init.privateKey),
      addresses: { listen: [...init.listen] },
      transports: [tcp({ backlog: 64, inboundSocketInactivityTimeout: 60_000 })],
      connectionEncrypters: [noise({ prologueBytes: NOISE_PROLOGUE })],
      streamMuxers: [
        yamux({
          maxInboundStreams: 8,
          maxOutboundStreams: 8,
          maxEarlyStreams: 2,
          streamOptions: { maxStreamWindowSize: 4 * 1024 * 1024 }
        })
      ],
      ...(init.mdns ? { peerDiscovery: [discovery(init)] } : {}),
      connectionManager: {
        maxConnections: 256,
        maxIncomingPendingConnections: 128,
        inboundConnectionThreshold: 64,
        inboundUpgradeTimeout: NEGOTIATION_TIMEOUT_MS,
        inboundStreamProtocolNegotiationTimeout: NEGOTIATION_TIMEOUT_MS,
        outboundStreamProtocolNegotiationTimeout: NEGOTIATION_TIMEOUT_MS,
        dialTimeout: DIAL_TIMEOUT_MS,
        addressDialTimeout: ADDRESS_DIAL_TIMEOUT_MS,
        maxParallelDials: 8,
        reconnectRetries: 0
      },
      // We have our own heartbeat, which knows a busy peer from a dead one.
      connectionMonitor: { enabled: false },
      connectionGater: { denyDialMultiaddr: () => false }
    })
    // Handlers start before anything is awaited in them: a stream without a listener is reset.
    await libp2p.handle(PROTOCOL, (stream, connection) => init.onStream(stream, connection), {
      maxInboundStreams: 2,
      maxOutboundStreams: 2
    })
    return new Transport(libp2p)
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
    return { stream, connection }
  }

  async stop(): Promise<void> {
    await this.#libp2p.stop()
  }
}

/** libp2p reports a peer once and never dials it; the discovery's own events come each time. */
function discovery(init: TransportInit): ReturnType<typeof mdns> {
  const make = mdns({
    serviceTag: `_dist-node-${init.meshHash.slice(0, 8)}._udp.local`,
    interval: MDNS_INTERVAL_MS
  })
  return (components) => {
    const service = make(components)
    service.addEventListener('peer', ({ detail }: CustomEvent<PeerInfo>) =>
      init.onFound({ id: detail.id.toString(), addresses: detail.multiaddrs.map(String) })
    )
    return service
  }
}
