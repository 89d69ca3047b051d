/**
 * Whom to dial, when and where: plain state and synchronous decisions, no socket and no clock. Nothing is ever given
 * up, for on a LAN what is gone today is back tomorrow.
 */
import type { PeerId } from './link.ts'

/** Where an address came from. What the user typed goes first and is never forgotten. */
export type AddressSource = 'user' | 'same-host' | 'mdns' | 'remembered' | 'exchange'

interface Target {
  /** Unknown for an address the user typed without a peer id, until it answers. */
  id: PeerId | undefined
  readonly addresses: Map<string, AddressSource>
  failures: number
  /** First of the failures in a row. */
  failingSinceMs: number
  nextDialMs: number
  dialling: boolean
}

/** The first tries come quickly: both sides are often just starting. */
const FIRST_DELAY_MS = 250

/** While a peer was seen not long ago, so that one whose cable is plugged in again is back within seconds. */
const RECENT_DELAY_MS = 3_000
const RECENT_MS = 10 * 60_000

/** For peers that have been gone for long. */
const LONG_DELAY_MS = 60_000

/** After a refusal (wrong password, other version): the other side must change something first. */
const REFUSED_DELAY_MS = 5_000
const MAX_REFUSED_DELAY_MS = 10 * 60_000

/** Of two nodes that discover each other at once, the one with the larger id leaves the other this long to dial. */
const YIELD_MS = 400

const MAX_PARALLEL_DIALS = 8
const MAX_TARGETS = 1024
const MAX_ADDRESSES = 8

export class DialPlan {
  readonly #self: PeerId
  readonly #targets = new Map<string, Target>()

  constructor(self: PeerId) {
    this.#self = self
  }

  /** A peer may be found at these addresses. News about a known peer make the next try come at once. */
  learn(
    peer: { id?: PeerId | undefined; addresses: readonly string[] },
    source: AddressSource,
    nowMs: number
  ): void {
    if (peer.id === this.#self || peer.addresses.length === 0) return
    const key = peer.id ?? peer.addresses[0]!
    let target = this.#targets.get(key)
    if (target === undefined) {
      if (this.#targets.size >= MAX_TARGETS) return
      const yields = source !== 'user' && peer.id !== undefined && this.#self > peer.id
      const nextDialMs = nowMs + (yields ? YIELD_MS : 0)
      target = {
        id: peer.id,
        addresses: new Map(),
        failures: 0,
        failingSinceMs: 0,
        nextDialMs,
        dialling: false
      }
      this.#targets.set(key, target)
    }
    let news = false
    for (const address of peer.addresses) {
      news ||= !target.addresses.has(address)
      if (target.addresses.size < MAX_ADDRESSES || source === 'user') target.addresses.set(address, source)
    }
    if (news && target.failures > 0) target.nextDialMs = Math.min(target.nextDialMs, nowMs)
  }

  /** The dials that are due, now marked as under way. */
  due(
    nowMs: number,
    isConnected: (id: PeerId) => boolean
  ): { key: string; id: PeerId | undefined; addresses: string[] }[] {
    const targets = [...this.#targets]
    let running = targets.filter(([, target]) => target.dialling).length
    const dials = []
    for (const [key, target] of targets) {
      if (running >= MAX_PARALLEL_DIALS) break
      if (target.dialling || target.nextDialMs > nowMs) continue
      if (target.id !== undefined && isConnected(target.id)) continue
      target.dialling = true
      running++
      dials.push({ key, id: target.id, addresses: [...target.addresses.keys()] })
    }
    return dials
  }

  onDialled(key: string, id: PeerId): void {
    const target = this.#targets.get(key)
    if (target === undefined) return
    Object.assign(target, { id, failures: 0, dialling: false, nextDialMs: 0 })
  }

  onFailed(key: string, refused: boolean, nowMs: number): void {
    const target = this.#targets.get(key)
    if (target === undefined) return
    if (target.failures === 0) target.failingSinceMs = nowMs
    target.failures++
    target.dialling = false
    target.nextDialMs = nowMs + delayMs(target, refused, nowMs)
  }

  /** A session ended. Whoever dials first is right; the larger id gives the smaller a moment. */
  onDisconnected(id: PeerId, nowMs: number): void {
    for (const target of this.#targets.values()) {
      if (target.id !== id) continue
      target.failures = 0
      target.nextDialMs = nowMs + FIRST_DELAY_MS + (this.#self > id ? YIELD_MS : 0)
    }
  }

  /** Addresses of peers whose id is known, to remember and to pass on. */
  known(): { id: PeerId; addresses: string[] }[] {
    return [...this.#targets.values()].flatMap(({ id, addresses }) =>
      id === undefined ? [] : [{ id, addresses: [...addresses.keys()] }]
    )
  }
}

function delayMs(target: Target, refused: boolean, nowMs: number): number {
  const doubling = 2 ** Math.min(target.failures - 1, 16)
  if (refused) return Math.min(MAX_REFUSED_DELAY_MS, REFUSED_DELAY_MS * doubling)
  const recent = nowMs - target.failingSinceMs < RECENT_MS
  return Math.min(recent ? RECENT_DELAY_MS : LONG_DELAY_MS, FIRST_DELAY_MS * doubling)
}
