/**
 * Looks for peers by multicast DNS. Anybody on the LAN can announce anything, so announcements are hints, taken in
 * small numbers, and lead to addresses of the LAN only.
 */
import type { EventEmitter } from 'node:events'
import type { PeerInfo } from '@libp2p/interface'
import { isLoopbackIp, isOnOwnSubnet, isOwnIp, parseTcpAddress } from './local-addresses.ts'
import { mdns } from './libp2p.ts'

/**
 * How often a node asks the LAN who is there. Every node answers every question, by multicast to all, so only one that
 * has just started asks often: who comes later asks as well, and everybody hears the answers.
 */
const FIRST_INTERVAL_MS = 10_000
const LATER_INTERVAL_MS = 60_000
const FIRST_PHASE_MS = 35_000

export interface FoundPeer {
  readonly id: string
  readonly addresses: string[]
}

interface Seen {
  ms: number
  readonly source: string | undefined
}

/**
 * Which announcements count. Peers already known pass always; new ones at a pace that lets a whole LAN start at once
 * but gives a flood of invented peers nothing to fill: each would be dialled, and honest ones would wait their turn.
 */
export class AnnouncementFilter {
  static readonly LIMITS = {
    newPerSecond: 20,
    burst: 64,
    maxPeers: 512,
    /** Peers one other machine may announce. Nodes of this machine are not counted: tests start many. */
    maxPeersPerSource: 16,
    maxAddresses: 4,
    forgetMs: 600_000
  } as const
  readonly #seen = new Map<string, Seen>()
  #tokens: number = AnnouncementFilter.LIMITS.burst
  #refilledMs = 0

  /**
   * What is to be believed of an announcement; `undefined` when nothing is.
   *
   * @param source IP address the announcement came from, if known
   */
  filter(peer: FoundPeer, source: string | undefined, nowMs: number): FoundPeer | undefined {
    const addresses = peer.addresses.filter(isReachable).slice(0, AnnouncementFilter.LIMITS.maxAddresses)
    if (addresses.length === 0) return undefined
    const seen = this.#seen.get(peer.id)
    if (seen !== undefined) seen.ms = nowMs
    else if (this.#admitsNew(source, nowMs)) this.#seen.set(peer.id, { ms: nowMs, source })
    else return undefined
    return { id: peer.id, addresses }
  }

  #admitsNew(source: string | undefined, nowMs: number): boolean {
    const { burst, forgetMs, maxPeers, maxPeersPerSource, newPerSecond } = AnnouncementFilter.LIMITS
    this.#tokens = Math.min(burst, this.#tokens + ((nowMs - this.#refilledMs) / 1000) * newPerSecond)
    this.#refilledMs = nowMs
    if (this.#tokens < 1) return false
    for (const [id, { ms }] of this.#seen) if (ms < nowMs - forgetMs) this.#seen.delete(id)
    if (this.#seen.size >= maxPeers) return false
    if (source !== undefined && !isOwnIp(source)) {
      const ofSource = [...this.#seen.values()].filter((seen) => seen.source === source).length
      if (ofSource >= maxPeersPerSource) return false
    }
    this.#tokens--
    return true
  }
}

function isReachable(address: string): boolean {
  const ip = parseTcpAddress(address)?.ip
  return ip !== undefined && !isLoopbackIp(ip) && isOnOwnSubnet(ip)
}

/** Starts and stops with the libp2p node. */
interface DiscoveryService {
  start(): Promise<void>
  stop(): Promise<void>
}

type DiscoveryComponents = Parameters<ReturnType<typeof mdns>>[0]

/** In place of {@link discovery} where its owner wants none. */
export function noDiscovery(): DiscoveryService {
  return { start: () => Promise.resolve(), stop: () => Promise.resolve() }
}

/**
 * A service of the libp2p node that starts and stops with it. Not one of libp2p's own discoveries: those put every
 * announcement into the peer store, and report a peer only once.
 */
export function discovery(
  meshHash: string,
  onFound: (peer: FoundPeer) => void
): (components: DiscoveryComponents) => DiscoveryService {
  return (components) => {
    const filter = new AnnouncementFilter()
    // The event names no sender, but follows at once upon the packet.
    let source: string | undefined
    const onPacket = (_packet: unknown, from: { address?: string } | undefined): void => {
      source = from?.address
    }
    const onPeer = ({ detail }: CustomEvent<PeerInfo>): void => {
      const announced = { id: detail.id.toString(), addresses: detail.multiaddrs.map(String) }
      const found = filter.filter(announced, source, performance.now())
      if (found !== undefined) onFound(found)
    }
    const ask = (interval: number): DiscoveryService => {
      const service = mdns({ serviceTag: `_dist-node-${meshHash.slice(0, 8)}._udp.local`, interval })(
        components
      )
      service.addEventListener('peer', onPeer)
      // What libp2p calls on its own discoveries, and their socket; the type does not show them.
      const inner = service as unknown as DiscoveryService & { mdns?: EventEmitter }
      return {
        async start() {
          await inner.start()
          inner.mdns?.prependListener('response', onPacket)
        },
        stop: () => inner.stop()
      }
    }
    let current = ask(FIRST_INTERVAL_MS)
    let timer: NodeJS.Timeout | undefined
    const slowDown = async (): Promise<void> => {
      const before = current
      current = ask(LATER_INTERVAL_MS)
      await current.start()
      await before.stop()
    }
    return {
      async start() {
        await current.start()
        timer = setTimeout(() => void slowDown().catch(() => undefined), FIRST_PHASE_MS).unref()
      },
      async stop() {
        clearTimeout(timer)
        await current.stop()
      }
    }
  }
}
