import type { Connection, Stream } from '@libp2p/interface'
import {
  BusyError,
  ChannelClosedError,
  HandshakeError,
  OtherMeshError,
  ProtocolError
} from '../../protocol/errors.ts'
import { GuessLimits } from '../../protocol/guess-limits.ts'
import type { HelloMessage } from '../../protocol/messages.ts'
import { openChannel } from '../../protocol/open-channel.ts'
import { withoutPeerId } from './dial-target.ts'
import type { PeerId } from '../link.ts'
import { isOwnIp } from './local-addresses.ts'
import type { MeshKeys } from './mesh-keys.ts'
import { Session } from './session.ts'

/** Failures nobody needs to hear of: neighbours' meshes, and connections that break or are not welcome just now. */
const QUIET = [OtherMeshError, BusyError, ChannelClosedError, HandshakeError]

/** Why a peer and this node do not talk to each other. */
export interface Refusal {
  /** Multiaddr of the peer. */
  readonly address: string
  /** Such as `WRONG_PASSWORD`; all of them are in docs/errors.md. */
  readonly code: string
  /** The same in words, with what to do. */
  readonly message: string
}

export interface SessionOpenerInit {
  readonly localPeer: PeerId
  readonly keys: () => MeshKeys
  readonly hello: () => HelloMessage
  readonly signal: AbortSignal
  /** The peer at the other end knows the password. */
  readonly onProven: (connection: Connection) => void
  readonly onRefused: (refusal: Refusal) => void
  readonly onWarning: (message: string) => void
}

/** Makes a session of a stream: proof of the password, then hellos. Counts guesses at the password. */
export class SessionOpener {
  readonly #init: SessionOpenerInit
  readonly #guesses: GuessLimits
  /** Peers that dialled us and have not finished the handshake. */
  readonly #proving = new Set<PeerId>()

  constructor(init: SessionOpenerInit) {
    this.#init = init
    this.#guesses = new GuessLimits({
      isLocal: isOwnIp,
      onAlarm: (failures) =>
        init.onWarning(`${failures} wrong passwords within an hour: somebody is guessing`)
    })
  }

  /** How many peers are proving themselves to us at this moment. */
  get proving(): number {
    return this.#proving.size
  }

  isProving(peer: PeerId): boolean {
    return this.#proving.has(peer)
  }

  /** @throws what made it fail; the stream is gone then */
  async open(stream: Stream, connection: Connection, role: 'dialler' | 'listener'): Promise<Session> {
    const { localPeer, keys, hello, signal } = this.#init
    const remotePeer = connection.remotePeer.toString()
    const address = withoutPeerId(connection.remoteAddr.toString())
    const direction = role === 'dialler' ? 'outbound' : 'inbound'
    const guard = this.#guesses.guard(direction, ipAddress(address), remotePeer)
    if (role === 'listener') this.#proving.add(remotePeer)
    try {
      const key = keys().accepted()
      const channel = await openChannel(stream, { key, role, localPeer, remotePeer, guard, signal })
      this.#init.onProven(connection)
      return await Session.open(channel, hello(), { address, localPeer })
    } catch (error) {
      this.#report(error, address)
      throw error
    } finally {
      this.#proving.delete(remotePeer)
    }
  }

  #report(error: unknown, address: string): void {
    if (this.#init.signal.aborted || QUIET.some((kind) => error instanceof kind)) return
    if (error instanceof ProtocolError) {
      this.#init.onRefused({ address, code: error.code, message: error.message })
    }
  }
}

/** The IP address in `/ip4/192.168.1.20/tcp/4001`. */
function ipAddress(address: string): string {
  return address.split('/')[2] ?? address
}
