import { isIPv6 } from 'node:net'
import { BusyError } from './errors.ts'
import type { HandshakeGuard } from './handshake.ts'
import { TokenBucket } from './token-bucket.ts'

/** Every handshake with somebody who does not know the password is one guess at it. These are how many we allow. */
export const GUESS_LIMITS = {
  /** Wrong passwords per address: a few typing errors, then one a minute. */
  addressBurst: 5,
  addressRefillMs: 60_000,
  /** Wrong passwords for the whole node: 2,880 a day, so a list of a million words takes a year. */
  nodeBurst: 20,
  nodeRefillMs: 30_000,
  /** Handshakes broken off before the proof, per address. They give no guess, but samples of our timing. */
  unfinishedBurst: 20,
  unfinishedRefillMs: 3_000,
  /** Handshakes at once: each costs a listener 0.4 ms of computing and a few KiB for at most 3 s. */
  inboundAtOnce: 64,
  inboundAtOncePerAddress: 32,
  outboundAtOnce: 64,
  /** Wrong passwords in one hour that deserve a loud warning. */
  alarmFailures: 50,
  alarmWindowMs: 3_600_000,
  /** Addresses and peers remembered; the oldest are forgotten first. */
  maxRemembered: 4_096
} as const

export type Direction = 'inbound' | 'outbound'

export interface GuessLimitsOptions {
  /** Milliseconds on any clock that does not go back. @default performance.now */
  readonly nowMs?: () => number
  /**
   * Whether an address is this machine itself. Its nodes all have the same, so one that has a wrong password would keep
   * the others out; they count for the whole node only. @default none is
   */
  readonly isLocal?: (address: string) => boolean
  /** Called at most once an hour, when wrong passwords reach {@link GUESS_LIMITS}.alarmFailures in an hour. */
  readonly onAlarm?: (failures: number) => void
}

interface AddressRecord {
  readonly guesses: TokenBucket
  readonly unfinished: TokenBucket
  inboundNow: number
}

type Stage = 'begun' | 'refused' | 'exposed' | 'proved'

/**
 * Counts wrong passwords and broken-off handshakes of a node, in both directions: a stranger who gets us to dial him
 * (by a faked announcement) learns as much from a handshake as one who dials us. Synchronous; one per node.
 */
export class GuessLimits {
  readonly #nowMs: () => number
  readonly #onAlarm: (failures: number) => void
  readonly #isLocal: (address: string) => boolean
  readonly #addresses = new Map<string, AddressRecord>()
  readonly #provenPeers = new Set<string>()
  readonly #node: TokenBucket
  readonly #failuresMs: number[] = []
  #alarmedMs = -Infinity
  #inboundNow = 0
  #outboundNow = 0

  constructor(options: GuessLimitsOptions = {}) {
    this.#nowMs = options.nowMs ?? (() => performance.now())
    this.#onAlarm = options.onAlarm ?? (() => {})
    this.#isLocal = options.isLocal ?? (() => false)
    this.#node = new TokenBucket(GUESS_LIMITS.nodeBurst, GUESS_LIMITS.nodeRefillMs, this.#nowMs())
  }

  /** Wrong passwords in the last hour. */
  get failuresLastHour(): number {
    const sinceMs = this.#nowMs() - GUESS_LIMITS.alarmWindowMs
    return this.#failuresMs.filter((ms) => ms > sinceMs).length
  }

  /** Why no handshake with this peer may start now, or `undefined` when one may: what a dialler asks first. */
  refusal(direction: Direction, address: string, peer: string): string | undefined {
    const nowMs = this.#nowMs()
    const record = this.#addresses.get(addressGroup(address))
    if (direction === 'outbound' && this.#outboundNow >= GUESS_LIMITS.outboundAtOnce)
      return 'too many handshakes at once'
    if (direction === 'inbound') {
      if (this.#inboundNow >= GUESS_LIMITS.inboundAtOnce) return 'too many handshakes at once'
      if ((record?.inboundNow ?? 0) >= GUESS_LIMITS.inboundAtOncePerAddress) {
        return 'too many handshakes at once from this address'
      }
    }
    // Who proved the password since we started has nothing to gain by guessing.
    if (this.#provenPeers.has(peer)) return undefined
    if (record !== undefined && !this.#isLocal(address)) {
      if (!record.guesses.hasToken(nowMs)) return 'too many wrong passwords from this address'
      if (!record.unfinished.hasToken(nowMs)) return 'too many handshakes broken off by this address'
    }
    return this.#node.hasToken(nowMs) ? undefined : 'too many wrong passwords on this node'
  }

  /**
   * Watches one handshake.
   *
   * @param address IP address of the peer, as the socket has it
   * @param peer its peer id, as Noise authenticated it
   */
  guard(direction: Direction, address: string, peer: string): HandshakeGuard {
    let stage: Stage = 'begun'
    let isRunning = false
    return {
      begin: () => {
        const reason = this.refusal(direction, address, peer)
        if (reason !== undefined)
          throw new BusyError(`handshake with ${address} refused: ${reason}; try again later`)
        isRunning = true
        this.#count(direction, address, 1)
      },
      refused: () => (stage = 'refused'),
      exposed: () => (stage = 'exposed'),
      proved: () => (stage = 'proved'),
      end: () => {
        if (!isRunning) return
        isRunning = false
        this.#count(direction, address, -1)
        this.#settle(stage, direction, address, peer)
      }
    }
  }

  #settle(stage: Stage, direction: Direction, address: string, peer: string): void {
    const nowMs = this.#nowMs()
    if (stage === 'proved') remember(this.#provenPeers, peer)
    else if (stage === 'exposed') {
      // A peer with another password may be a former member: it has to count like everybody again.
      this.#provenPeers.delete(peer)
      this.#record(address).guesses.take(nowMs)
      this.#node.take(nowMs)
      this.#raiseAlarm(nowMs)
    } else if (stage === 'begun' && direction === 'inbound') this.#record(address).unfinished.take(nowMs)
  }

  #raiseAlarm(nowMs: number): void {
    this.#failuresMs.push(nowMs)
    if (this.#failuresMs.length > GUESS_LIMITS.alarmFailures) this.#failuresMs.shift()
    const failures = this.failuresLastHour
    if (failures < GUESS_LIMITS.alarmFailures || nowMs - this.#alarmedMs < GUESS_LIMITS.alarmWindowMs) return
    this.#alarmedMs = nowMs
    this.#onAlarm(failures)
  }

  #count(direction: Direction, address: string, change: 1 | -1): void {
    if (direction === 'outbound') {
      this.#outboundNow += change
      return
    }
    this.#inboundNow += change
    this.#record(address).inboundNow += change
  }

  #record(address: string): AddressRecord {
    const group = addressGroup(address)
    const nowMs = this.#nowMs()
    const record = this.#addresses.get(group) ?? {
      guesses: new TokenBucket(GUESS_LIMITS.addressBurst, GUESS_LIMITS.addressRefillMs, nowMs),
      unfinished: new TokenBucket(GUESS_LIMITS.unfinishedBurst, GUESS_LIMITS.unfinishedRefillMs, nowMs),
      inboundNow: 0
    }
    // Last used goes last, so the first is the one to forget. The limit of the whole node remembers all of them.
    this.#addresses.delete(group)
    this.#addresses.set(group, record)
    if (this.#addresses.size > GUESS_LIMITS.maxRemembered) this.#forgetOldest()
    return record
  }

  #forgetOldest(): void {
    for (const [group, { inboundNow }] of this.#addresses) {
      if (inboundNow > 0) continue
      this.#addresses.delete(group)
      return
    }
  }
}

function remember(peers: Set<string>, peer: string): void {
  peers.delete(peer)
  peers.add(peer)
  if (peers.size <= GUESS_LIMITS.maxRemembered) return
  const [oldest] = peers
  if (oldest !== undefined) peers.delete(oldest)
}

/** Addresses one attacker has for the price of one: an IPv4 address, or the /64 an IPv6 host chooses from. */
export function addressGroup(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  const [withoutZone = address] = address.split('%')
  if (!isIPv6(withoutZone)) return address
  const [left = '', right] = withoutZone.toLowerCase().split('::')
  const head = left === '' ? [] : left.split(':')
  const tail = right === undefined || right === '' ? [] : right.split(':')
  const zeros = right === undefined ? [] : Array<string>(Math.max(0, 8 - head.length - tail.length)).fill('0')
  const groups = [...head, ...zeros, ...tail]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
  return `${groups.join(':')}::/64`
}
