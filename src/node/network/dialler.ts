import type { Connection, Stream } from '@libp2p/interface'
import {
  BusyError,
  EpochError,
  OtherMeshError,
  VersionError,
  WrongPasswordError
} from '../../protocol/errors.ts'
import type { DialPlan } from './dial-plan.ts'
import { type AddressSource, peerIdIn, withoutPeerId } from './dial-target.ts'
import type { DialFailure } from './dial-delays.ts'
import type { PeerId } from '../link.ts'

/** All of a dial: connection, Noise, stream, password proof, hello. */
const DIAL_TIMEOUT_MS = 15_000

/** The same again would have the same answer. */
const REFUSALS = [EpochError, OtherMeshError, VersionError, WrongPasswordError]

/** TCP connected, so somebody is there; what came after was too slow, or was broken off. */
const UNFINISHED = ['EncryptionFailedError', 'MuxerUnavailableError', 'HandshakeError']

/** A peer that is heard of but does not answer. */
export interface Unreachable {
  /** Unknown for an address that was typed without one. */
  readonly id?: string
  /** Multiaddrs that were tried. */
  readonly addresses: readonly string[]
  /** How this node heard of it. */
  readonly sources: readonly AddressSource[]
  /** What the last try failed with. */
  readonly error: unknown
}

export interface DiallerInit {
  readonly plan: DialPlan
  /** The node stops. */
  readonly signal: AbortSignal
  readonly connect: (
    addresses: readonly string[],
    signal: AbortSignal
  ) => Promise<{ stream: Stream; connection: Connection }>
  /** The conversation from the proof of the password to its end; throws what made the handshake fail. */
  readonly converse: (stream: Stream, connection: Connection, onOpened: () => void) => Promise<void>
  readonly hasSession: (peer: PeerId) => boolean
  /** The plan knows how a dial went. */
  readonly onEnd: () => void
  readonly onUnreachable: (peer: Unreachable) => void
}

/** Carries out what the plan says, and tells it how that went. */
export class Dialler {
  readonly #init: DiallerInit

  constructor(init: DiallerInit) {
    this.#init = init
  }

  /** Settles when the conversation that came of it has ended. */
  async dial({ key, addresses }: { key: string; addresses: string[] }): Promise<void> {
    const { signal, plan, connect, converse, onEnd } = this.#init
    const dialSignal = AbortSignal.any([signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)])
    try {
      const { stream, connection } = await connect(addresses, dialSignal)
      await converse(stream, connection, () => this.#onDialled(key, connection))
    } catch (error) {
      const failure = failureOf(error)
      plan.onFailed(key, failure, performance.now())
      onEnd()
      if (failure !== 'refused' && !signal.aborted) this.#reportUnreachable(key, addresses, error)
    }
  }

  #onDialled(key: string, { remotePeer, remoteAddr }: Connection): void {
    const address = withoutPeerId(remoteAddr.toString())
    this.#init.plan.onDialled(key, remotePeer.toString(), address, performance.now())
    this.#init.onEnd()
  }

  #reportUnreachable(key: string, addresses: readonly string[], error: unknown): void {
    const id = peerIdIn(addresses[0] ?? '')
    if (id !== undefined && this.#init.hasSession(id)) return
    this.#init.onUnreachable({
      ...(id === undefined ? {} : { id }),
      addresses: addresses.map(withoutPeerId),
      sources: this.#init.plan.sourcesOf(key),
      error
    })
  }
}

function failureOf(error: unknown): DialFailure {
  if (REFUSALS.some((kind) => error instanceof kind)) return 'refused'
  if (error instanceof BusyError) return 'busy'
  return error instanceof Error && UNFINISHED.includes(error.name) ? 'unfinished' : 'unreachable'
}
