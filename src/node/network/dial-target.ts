/** One peer that a node may dial: where it is, how it was heard of, and how dialling it went. */
import type { PeerId } from '../link.ts'

/** Where an address came from. What the user typed goes first and is never forgotten. */
export type AddressSource = 'user' | 'same-host' | 'mdns' | 'remembered' | 'exchange'

const MAX_ADDRESSES = 8

export interface Target {
  /** Unknown for an address the user typed without a peer id, until it answers. */
  id: PeerId | undefined
  /** Without peer id, the one learnt last at the end. */
  readonly addresses: Map<string, AddressSource>
  /** All the ways this node has heard of it. */
  readonly sources: Set<AddressSource>
  /** The address that worked last. */
  proven: string | undefined
  failures: number
  /** First of the failures in a row. */
  failingSinceMs: number
  nextDialMs: number
  /** The other side should dial; this one does when it does not. */
  yields: boolean
  /** Since when a dial has been under way. */
  diallingSinceMs: number | undefined
}

/** Whether there is a reason to dial it. */
export function isWanted(target: Target, isConnected: (id: PeerId) => boolean): boolean {
  return target.diallingSinceMs === undefined && (target.id === undefined || !isConnected(target.id))
}

/**
 * Peers that have not failed come first: invented peers, which somebody on the LAN may announce by the dozen, must not
 * keep honest ones waiting each time they are tried again. Then those that will not dial us, then those that have waited
 * longest.
 */
export function byPromise([, a]: [string, Target], [, b]: [string, Target]): number {
  return (
    Number(a.failures > 0) - Number(b.failures > 0) ||
    Number(a.yields) - Number(b.yields) ||
    a.nextDialMs - b.nextDialMs
  )
}

/** What the user typed, what worked last, then what was learnt last: ports change with every start of a node. */
export function dialOrder({ id, addresses, proven }: Target): string[] {
  const newestFirst = [...addresses].toReversed()
  const rank = ([address, source]: [string, AddressSource]): number =>
    address === proven ? 0 : source === 'user' ? 1 : source === 'same-host' ? 2 : 3
  return newestFirst
    .toSorted((a, b) => rank(a) - rank(b))
    .map(([address]) => (id === undefined ? address : `${address}/p2p/${id}`))
}

/** However many addresses a peer has, those learnt last are kept, and what the user typed. */
export function forgetOldest(addresses: Map<string, AddressSource>): void {
  for (const [address, source] of addresses) {
    if (addresses.size <= MAX_ADDRESSES) return
    if (source !== 'user') addresses.delete(address)
  }
}

/** `/ip4/10.0.0.2/tcp/4001/p2p/12D3…` and `/ip4/10.0.0.2/tcp/4001` are one address. */
export function withoutPeerId(address: string): string {
  return address.replace(/\/p2p\/[^/]+$/, '')
}

/** The peer's id in a multiaddr that ends with it. */
export function peerIdIn(address: string): string | undefined {
  return /\/p2p\/([^/]+)$/.exec(address)?.[1]
}
