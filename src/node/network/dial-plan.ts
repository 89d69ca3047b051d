/**
 * Whom to dial, when and where: plain state and synchronous decisions, no socket and no clock. Nothing is ever given
 * up, for on a LAN what is gone today is back tomorrow.
 */
import type { PeerId } from '../link.ts'

/** Where an address came from. What the user typed goes first and is never forgotten. */
export type AddressSource = 'user' | 'same-host' | 'mdns' | 'remembered' | 'exchange'

/** Turned away for good; asked to come back later; connected, but not to the end; or not reached at all. */
export type DialFailure = 'refused' | 'busy' | 'unfinished' | 'unreachable'

interface Target {
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

/** The first tries come quickly: both sides are often just starting. */
const FIRST_DELAY_MS = 250

/** While a peer was seen not long ago, so that one whose cable is plugged in again is back within seconds. */
const RECENT_DELAY_MS = 3_000
const RECENT_MS = 10 * 60_000

/** For peers that have been gone for long. */
const LONG_DELAY_MS = 60_000

/** The peer is there but has no time: it is starved, and asking again soon would starve it more. */
const BUSY_DELAY_MS = 10_000

/**
 * After a refusal (wrong password, other version): one of the two must change something first, and dials at once when it
 * has. Each try with a wrong password uses up some of what the other side allows an address.
 */
const REFUSED_DELAY_MS = 30_000
const MAX_REFUSED_DELAY_MS = 10 * 60_000

/** Of two nodes that discover each other at once, the one with the larger id leaves the other this long to dial. */
const YIELD_MS = 1_000

/**
 * Dials at once. A handshake takes some ten milliseconds of both sides, so a few are hundreds in a second; where they take
 * longer than these, somebody is starved (many nodes starting on few cores), and more at once only slow one another down.
 */
const MAX_PARALLEL_DIALS = 4
const SLOW_DIAL_MS = 500
const VERY_SLOW_DIAL_MS = 1_500
/** Weight of the last dial in the mean of how long they take. */
const DIAL_TIME_WEIGHT = 0.3
const MAX_TARGETS = 1024
const MAX_ADDRESSES = 8

export class DialPlan {
  readonly #self: PeerId
  readonly #random: () => number
  readonly #targets = new Map<string, Target>()
  #dialTimeMs = 0

  /** @param random from 0 to 1, for jitter */
  constructor(self: PeerId, random: () => number = Math.random) {
    this.#self = self
    this.#random = random
  }

  /**
   * A peer may be found at these addresses. News about a known peer make the next try come at once.
   *
   * @returns whether an address was new
   */
  learn(
    peer: { id?: PeerId | undefined; addresses: readonly string[] },
    source: AddressSource,
    nowMs: number
  ): boolean {
    const addresses = peer.addresses.map(withoutPeerId)
    const [first] = addresses
    if (peer.id === this.#self || first === undefined) return false
    const target = this.#targetFor(peer.id ?? first, peer.id, source, nowMs)
    if (target === undefined) return false
    target.sources.add(source)
    const news = addresses.some((address) => !target.addresses.has(address))
    for (const address of addresses) {
      if (target.addresses.get(address) === 'user') continue
      target.addresses.delete(address)
      target.addresses.set(address, source)
    }
    forgetOldest(target.addresses)
    if (news && target.failures > 0) target.nextDialMs = Math.min(target.nextDialMs, nowMs)
    return news
  }

  /** The dials that are due, now marked as under way; addresses with the peer's id, the most promising first. */
  due(nowMs: number, isConnected: (id: PeerId) => boolean): { key: string; addresses: string[] }[] {
    const room = this.#room()
    if (room <= 0) return []
    const dials = [...this.#targets]
      .filter(([, target]) => target.nextDialMs <= nowMs && isWanted(target, isConnected))
      .toSorted(byPromise)
      .slice(0, room)
    for (const [, target] of dials) target.diallingSinceMs = nowMs
    return dials.map(([key, target]) => ({ key, addresses: dialOrder(target) }))
  }

  /** When there is something to dial next; Infinity when that depends on what happens before. */
  nextMs(isConnected: (id: PeerId) => boolean): number {
    if (this.#room() <= 0) return Infinity
    let nextMs = Infinity
    for (const target of this.#targets.values()) {
      if (target.nextDialMs < nextMs && isWanted(target, isConnected)) nextMs = target.nextDialMs
    }
    return nextMs
  }

  /** Whether a peer that was heard of lately has not been tried yet, or is being dialled for the first time. */
  isSearching(isConnected: (id: PeerId) => boolean): boolean {
    return [...this.#targets.values()].some(
      (target) =>
        target.failures === 0 &&
        [...target.sources].some((source) => source !== 'remembered') &&
        (target.id === undefined || !isConnected(target.id))
    )
  }

  onDialled(key: string, id: PeerId, address: string, nowMs: number): void {
    const target = this.#targets.get(key)
    if (target === undefined) return
    this.#onEnd(target, nowMs)
    Object.assign(target, { id, failures: 0, nextDialMs: 0, proven: address })
  }

  onFailed(key: string, reason: DialFailure, nowMs: number): void {
    const target = this.#targets.get(key)
    if (target === undefined) return
    if (target.failures === 0) target.failingSinceMs = nowMs
    target.failures++
    const tookMs = nowMs - (target.diallingSinceMs ?? nowMs)
    // How long an address that leads nowhere takes says nothing about how busy the others are.
    if (reason === 'unreachable') target.diallingSinceMs = undefined
    else this.#onEnd(target, nowMs)
    // Two nodes that failed together must not try again together.
    const jitter = 0.75 + 0.5 * this.#random()
    target.nextDialMs = nowMs + jitter * delayMs(target, reason, tookMs, nowMs)
  }

  /** A session ended. Whoever dials first is right; the larger id gives the smaller a moment. */
  onDisconnected(id: PeerId, nowMs: number): void {
    for (const target of this.#targets.values()) {
      if (target.id !== id) continue
      target.failures = 0
      target.yields = this.#self > id
      target.nextDialMs = nowMs + FIRST_DELAY_MS + (target.yields ? YIELD_MS : 0)
    }
  }

  /** Something has changed on this side, a new password for example: who refused us may not any more. */
  retryAll(nowMs: number): void {
    for (const target of this.#targets.values()) target.nextDialMs = Math.min(target.nextDialMs, nowMs)
  }

  /** How this node heard of a target. */
  sourcesOf(key: string): AddressSource[] {
    return [...(this.#targets.get(key)?.sources ?? [])]
  }

  #targetFor(key: string, id: PeerId | undefined, source: AddressSource, nowMs: number): Target | undefined {
    const known = this.#targets.get(key)
    if (known !== undefined || this.#targets.size >= MAX_TARGETS) return known
    const yields = source !== 'user' && id !== undefined && this.#self > id
    const target: Target = {
      id,
      addresses: new Map(),
      sources: new Set(),
      proven: undefined,
      failures: 0,
      failingSinceMs: 0,
      nextDialMs: nowMs + (yields ? YIELD_MS : 0),
      yields,
      diallingSinceMs: undefined
    }
    this.#targets.set(key, target)
    return target
  }

  /** How many more dials may be under way. */
  #room(): number {
    const running = [...this.#targets.values()].filter(({ diallingSinceMs }) => diallingSinceMs !== undefined)
    const max =
      this.#dialTimeMs > VERY_SLOW_DIAL_MS ? 1 : this.#dialTimeMs > SLOW_DIAL_MS ? 2 : MAX_PARALLEL_DIALS
    return max - running.length
  }

  #onEnd(target: Target, nowMs: number): void {
    if (target.diallingSinceMs === undefined) return
    this.#dialTimeMs += DIAL_TIME_WEIGHT * (nowMs - target.diallingSinceMs - this.#dialTimeMs)
    target.diallingSinceMs = undefined
  }

  /** Addresses of peers whose id is known, to remember and to pass on. */
  known(): { id: PeerId; addresses: string[] }[] {
    return [...this.#targets.values()].flatMap(({ id, addresses }) =>
      id === undefined ? [] : [{ id, addresses: [...addresses.keys()] }]
    )
  }
}

function isWanted(target: Target, isConnected: (id: PeerId) => boolean): boolean {
  return target.diallingSinceMs === undefined && (target.id === undefined || !isConnected(target.id))
}

/**
 * Peers that have not failed come first: invented peers, which somebody on the LAN may announce by the dozen, must not
 * keep honest ones waiting each time they are tried again. Then those that will not dial us, then those that have waited
 * longest.
 */
function byPromise([, a]: [string, Target], [, b]: [string, Target]): number {
  return (
    Number(a.failures > 0) - Number(b.failures > 0) ||
    Number(a.yields) - Number(b.yields) ||
    a.nextDialMs - b.nextDialMs
  )
}

/** What the user typed, what worked last, then what was learnt last: ports change with every start of a node. */
function dialOrder({ id, addresses, proven }: Target): string[] {
  const newestFirst = [...addresses].toReversed()
  const rank = ([address, source]: [string, AddressSource]): number =>
    address === proven ? 0 : source === 'user' ? 1 : source === 'same-host' ? 2 : 3
  return newestFirst
    .toSorted((a, b) => rank(a) - rank(b))
    .map(([address]) => (id === undefined ? address : `${address}/p2p/${id}`))
}

function forgetOldest(addresses: Map<string, AddressSource>): void {
  for (const [address, source] of addresses) {
    if (addresses.size <= MAX_ADDRESSES) return
    if (source !== 'user') addresses.delete(address)
  }
}

/** `/ip4/10.0.0.2/tcp/4001/p2p/12D3…` and `/ip4/10.0.0.2/tcp/4001` are one address. */
export function withoutPeerId(address: string): string {
  return address.replace(/\/p2p\/[^/]+$/, '')
}

function delayMs(target: Target, reason: DialFailure, tookMs: number, nowMs: number): number {
  const doubling = 2 ** Math.min(target.failures - 1, 16)
  if (reason === 'refused') return Math.min(MAX_REFUSED_DELAY_MS, REFUSED_DELAY_MS * doubling)
  // One that was cut short at once is no sign of want of time: two that dialled each other, or a peer that was just ending.
  if (reason === 'busy' || (reason === 'unfinished' && tookMs >= VERY_SLOW_DIAL_MS)) return BUSY_DELAY_MS
  const recent = nowMs - target.failingSinceMs < RECENT_MS
  return Math.min(recent ? RECENT_DELAY_MS : LONG_DELAY_MS, FIRST_DELAY_MS * doubling)
}
