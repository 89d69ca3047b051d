import { addressGroup } from '../../protocol/guess-limits.ts'
import { isLoopbackIp, isOnOwnSubnet, isPrivateIp, parseTcpAddress } from './local-addresses.ts'

/**
 * Connections that have not proved the password, at once. They are what a stranger can fill, so they must never be
 * able to take the room of peers; one lives for a few seconds only.
 */
export const GATE_LIMITS = {
  unprovenPerAddress: 8,
  /** Programs of this machine: as many nodes as tests start in one process, connecting all at once. */
  unprovenLoopback: 64,
  unprovenTotal: 128,
  /** Two nodes that dial each other at once have two for a moment. */
  perPeer: 4
} as const

/** Ports below this belong to services of the system: no node listens there unless its owner says so. */
const FIRST_UNPRIVILEGED_PORT = 1024

export interface ConnectionGateOptions {
  /** Addresses the user typed: these may be dialled wherever they are. */
  readonly typedPeers: readonly string[]
  /** Addresses the user typed to listen on: a public one lets public addresses in. */
  readonly listen: readonly string[]
}

interface Connection {
  readonly group: string
  readonly isLoopback: boolean
}

/** Who may connect, and whom this node dials. Plain state and synchronous decisions; the transport asks and reports. */
export class ConnectionGate {
  readonly #typedPeers: ReadonlySet<string>
  readonly #allowsPublic: boolean
  /** By remote address with port, which no two living connections share. */
  readonly #unproven = new Map<string, Connection>()
  readonly #unprovenByGroup = new Map<string, number>()

  constructor(options: ConnectionGateOptions) {
    this.#typedPeers = new Set(options.typedPeers.map(withoutPeerId))
    this.#allowsPublic = options.listen.some((address) => {
      const ip = parseTcpAddress(address)?.ip
      return ip !== undefined && !isUnspecified(ip) && !isLan(ip)
    })
  }

  /** Connections that have not proved the password yet. */
  get unproven(): number {
    return this.#unproven.size
  }

  /** Whether to go on with an inbound connection; if so it counts until {@link onProven} or {@link onClosed}. */
  admit(remoteAddress: string): boolean {
    const ip = parseTcpAddress(remoteAddress)?.ip
    if (ip === undefined || !(this.#allowsPublic || isLan(ip))) return false
    const connection = { group: addressGroup(ip), isLoopback: isLoopbackIp(ip) }
    const max = connection.isLoopback ? GATE_LIMITS.unprovenLoopback : GATE_LIMITS.unprovenPerAddress
    const fromGroup = this.#unprovenByGroup.get(connection.group) ?? 0
    if (fromGroup >= max || this.#unproven.size >= GATE_LIMITS.unprovenTotal) return false
    this.#unproven.set(remoteAddress, connection)
    this.#unprovenByGroup.set(connection.group, fromGroup + 1)
    return true
  }

  /** @param remoteAddress the same, or with the peer's id: once that is known libp2p appends it */
  onProven(remoteAddress: string): void {
    this.#forget(withoutPeerId(remoteAddress))
  }

  onClosed(remoteAddress: string): void {
    this.#forget(remoteAddress)
  }

  /** Whether this node may dial an address it was given: what the user typed, or a plain TCP address of a LAN. */
  mayDial(address: string): boolean {
    if (this.#typedPeers.has(withoutPeerId(address))) return true
    const target = parseTcpAddress(address)
    return target !== undefined && target.port >= FIRST_UNPRIVILEGED_PORT && isLan(target.ip)
  }

  #forget(remoteAddress: string): void {
    const connection = this.#unproven.get(remoteAddress)
    if (connection === undefined) return
    this.#unproven.delete(remoteAddress)
    const left = (this.#unprovenByGroup.get(connection.group) ?? 1) - 1
    if (left === 0) this.#unprovenByGroup.delete(connection.group)
    else this.#unprovenByGroup.set(connection.group, left)
  }
}

function isLan(ip: string): boolean {
  return isLoopbackIp(ip) || isPrivateIp(ip) || isOnOwnSubnet(ip)
}

function isUnspecified(ip: string): boolean {
  return ip === '0.0.0.0' || ip === '::'
}

function withoutPeerId(address: string): string {
  return address.replace(/\/p2p\/[^/]+$/, '')
}
