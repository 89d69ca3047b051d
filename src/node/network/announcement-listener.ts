/**
 * libp2p's own multicast DNS, which hears who announces itself. It is told not to answer, for it would answer every
 * question at once and on one interface alone: announcing, and asking on the others, is done in discovery.ts.
 */
import dgram, { type Socket, type SocketOptions } from 'node:dgram'
import type { EventEmitter } from 'node:events'
import type { PeerInfo } from '@libp2p/interface'
import type { FoundPeer } from './announcement.ts'
import { mdns } from './libp2p.ts'
import type { PacketBudget } from './packet-budget.ts'

/** It asks once at its start; after that questions have a pace of their own. */
const INTERVAL_MS = 3_600_000

/** Starts and stops with the libp2p node. */
export interface ListenerService {
  start(): Promise<void>
  stop(): Promise<void>
}

export type MakeListener = (components: Parameters<ReturnType<typeof mdns>>[0]) => ListenerService

/** @param source IP address of the machine that announced it */
export type OnAnnounced = (peer: FoundPeer, source: string | undefined) => void

/**
 * A service of the libp2p node. Not one of libp2p's discoveries: those put every announcement into the peer store, and
 * report a peer only once.
 *
 * @param service name of the DNS service: nodes of other meshes have others
 * @param budget which packets are looked at
 */
export function announcementListener(
  service: string,
  budget: PacketBudget,
  onAnnounced: OnAnnounced
): MakeListener {
  return (components) => {
    const listener = mdns({ serviceTag: service, interval: INTERVAL_MS, broadcast: false })(components)
    // The event names no sender, but follows at once upon the packet.
    let source: string | undefined
    const onPacket = (_packet: unknown, from: { address?: string } | undefined): void => {
      source = from?.address
    }
    listener.addEventListener('peer', ({ detail }: CustomEvent<PeerInfo>) => {
      onAnnounced({ id: detail.id.toString(), addresses: detail.multiaddrs.map(String) }, source)
    })
    // What libp2p calls on its own discoveries, and their socket; the type does not show them.
    const inner = listener as unknown as ListenerService & { mdns?: EventEmitter }
    return {
      async start() {
        await withSockets(
          (socket) => dropBeyond(budget, socket),
          () => inner.start()
        )
        inner.mdns?.prependListener('response', onPacket)
      },
      stop: () => inner.stop()
    }
  }
}

/** Shows the sockets that a call opens before it returns: the packages in between keep theirs to themselves. */
function withSockets<T>(onSocket: (socket: Socket) => void, open: () => T): T {
  const { createSocket } = dgram
  const create = (options: SocketOptions): Socket => {
    const socket = createSocket(options)
    onSocket(socket)
    return socket
  }
  dgram.createSocket = create as typeof createSocket
  try {
    return open()
  } finally {
    dgram.createSocket = createSocket
  }
}

/** What is not worth decoding never reaches who listens. */
function dropBeyond(budget: PacketBudget, socket: Socket): void {
  const emit = socket.emit.bind(socket) as (event: string, ...args: unknown[]) => boolean
  socket.emit = (event: string, ...args: unknown[]): boolean => {
    const [packet, from] = args as [Buffer, { address: string }]
    if (event === 'message' && !budget.takes(packet, from.address, performance.now())) return true
    return emit(event, ...args)
  }
}

/** In place of one, where its owner wants none. */
export function noListener(): ListenerService {
  return { start: () => Promise.resolve(), stop: () => Promise.resolve() }
}
