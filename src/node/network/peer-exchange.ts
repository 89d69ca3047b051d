/** Peers tell one another of peers: multicast does not reach everywhere. */
import { MAX_LISTED_PEERS } from '../../protocol/limits.ts'
import { isLoopbackIp, parseTcpAddress } from './local-addresses.ts'
import type { PeerId } from '../link.ts'
import type { Session } from './session.ts'

/**
 * Peers a new one is told of. Each of its other peers tells it of as many, at random, so that in a large mesh it soon
 * knows all without being told of each by everybody.
 */
const MAX_INTRODUCED = 32

/**
 * News about peers wait for others, the longer the more there are to be told: a message to each for each of many that
 * start at once would be most of what it costs to join.
 */
const GATHER_MS_PER_PEER = 5
const MAX_GATHER_MS = 1_000

interface Peer {
  readonly id: PeerId
  readonly addresses: readonly string[]
}

export interface PeerExchangeInit {
  readonly self: () => Peer
  readonly sessions: () => Iterable<Session>
  /** Peers this node is connected to, with their addresses. */
  readonly known: () => readonly Peer[]
  /** @returns whether there was anything new in it */
  readonly learn: (peer: Peer) => boolean
  /** A peer has said where it is itself. */
  readonly remember: (peer: Peer) => void
}

export class PeerExchange {
  readonly #init: PeerExchangeInit
  readonly #news = new Map<PeerId, Peer>()
  #timer: NodeJS.Timeout | undefined

  constructor(init: PeerExchangeInit) {
    this.#init = init
  }

  /** Tells a new peer where this node is, and some of the others. */
  introduce(session: Session): void {
    const others = this.#init.known().filter(({ id }) => id !== session.peer)
    session.send({ type: 'peers', peers: [this.#init.self(), ...pickAtRandom(others, MAX_INTRODUCED)] })
  }

  onPeers(from: Session, peers: readonly Peer[]): void {
    for (const { id, addresses } of peers) {
      // Somebody else's loopback is not ours.
      const usable = addresses.filter((address) => isLoopback(from.address) || !isLoopback(address))
      const peer = { id, addresses: usable }
      const news = this.#init.learn(peer)
      if (id !== from.peer) continue
      this.#init.remember(peer)
      // What this node knew already, from multicast say, the others know as well.
      if (news) this.#pass(peer)
    }
  }

  close(): void {
    clearTimeout(this.#timer)
  }

  #pass(peer: Peer): void {
    this.#news.set(peer.id, peer)
    const waitMs = Math.min(MAX_GATHER_MS, GATHER_MS_PER_PEER * [...this.#init.sessions()].length)
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      const peers = [...this.#news.values()]
      this.#news.clear()
      for (const session of this.#init.sessions()) {
        const others = peers.filter(({ id }) => id !== session.peer)
        for (let at = 0; at < others.length; at += MAX_LISTED_PEERS)
          session.send({ type: 'peers', peers: others.slice(at, at + MAX_LISTED_PEERS) })
      }
    }, waitMs).unref()
  }
}

function isLoopback(address: string): boolean {
  const ip = parseTcpAddress(address)?.ip
  return ip !== undefined && isLoopbackIp(ip)
}

/** Draws without replacement (Fisher and Yates). */
export function pickAtRandom<T>(from: readonly T[], count: number): T[] {
  const items = [...from]
  const picked = Math.min(count, items.length)
  for (let at = 0; at < picked; at++) {
    const other = at + Math.floor(Math.random() * (items.length - at))
    ;[items[at], items[other]] = [items[other] as T, items[at] as T]
  }
  return items.slice(0, picked)
}
