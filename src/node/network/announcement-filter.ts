/** Which announcements of peers are believed: anybody on the LAN can announce anything. */
import type { FoundPeer } from './announcement.ts'
import { isLoopbackIp, isOnOwnSubnet, isOwnIp, parseTcpAddress } from './local-addresses.ts'

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
    maxPeers: 1024,
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
