/**
 * Whom to dial, when and where: plain state and synchronous decisions, no socket and no clock. Nothing is ever given
 * up, for on a LAN what is gone today is back tomorrow.
 */
import type { PeerId } from '../link.ts'
import { type DialFailure, FIRST_DELAY_MS, retryDelayMs } from './dial-delays.ts'
import {
  type AddressSource,
  byPromise,
  dialOrder,
  forgetOldest,
  isWanted,
  type Target,
  withoutPeerId
} from './dial-target.ts'

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
    const failingMs = nowMs - target.failingSinceMs
    target.nextDialMs =
      nowMs + jitter * retryDelayMs({ reason, tookMs, failures: target.failures, failingMs })
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
