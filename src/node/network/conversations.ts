/** From the stream of a peer, over the proof of the password, to a session and its end. */
import type { Connection, Stream } from '@libp2p/interface'
import type { Message } from '../../protocol/messages.ts'
import type { PeerId } from '../link.ts'
import { ConnectionUses } from './connection-uses.ts'
import { SessionOpener, type SessionOpenerInit } from './session-opener.ts'
import { SessionTable } from './session-table.ts'
import type { Session, SessionEnd } from './session.ts'

export interface ConversationsInit extends SessionOpenerInit {
  readonly onJoined: (session: Session) => void
  readonly onMessage: (session: Session, message: Message) => Promise<void> | undefined
  readonly onRtt: (session: Session, rttMs: number) => void
  /** Told of every session that was joined; another one may have taken its place. */
  readonly onLeft: (session: Session, end: SessionEnd) => void
  /** There is no session with this peer any more. */
  readonly onDisconnected: (peer: PeerId, end: SessionEnd) => void
  /** A handshake has ended, well or not. */
  readonly onHandshakeEnd: () => void
}

/** All conversations of a node, and who takes part in them. */
export class Conversations {
  readonly #init: ConversationsInit
  readonly #opener: SessionOpener
  readonly #sessions: SessionTable
  readonly #uses = new ConnectionUses()

  constructor(init: ConversationsInit) {
    this.#init = init
    this.#opener = new SessionOpener(init)
    this.#sessions = new SessionTable(init.localPeer, init.onLeft)
  }

  /** One for each peer. */
  get sessions(): Iterable<Session> {
    return this.#sessions.values()
  }

  get size(): number {
    return this.#sessions.size
  }

  /** Whether some peer is proving itself to us at this moment. */
  get isProving(): boolean {
    return this.#opener.proving > 0
  }

  has(peer: PeerId): boolean {
    return this.#sessions.has(peer)
  }

  /** A peer that is proving itself to us at this moment need not be dialled. */
  readonly isConnected = (peer: PeerId): boolean => this.has(peer) || this.#opener.isProving(peer)

  /**
   * Settles when the conversation has ended. As dialler it throws what made the handshake fail.
   *
   * @param onOpened the peer is connected to, by this stream or by another one
   */
  async converse(
    stream: Stream,
    connection: Connection,
    role: 'dialler' | 'listener',
    onOpened: () => void = () => undefined
  ): Promise<void> {
    this.#uses.begin(connection)
    if (role === 'dialler' && this.has(connection.remotePeer.toString())) {
      // It dialled us meanwhile.
      stream.abort(new Error('connected already'))
      onOpened()
      return this.#uses.end(connection)
    }
    let session: Session
    try {
      session = await this.#opener.open(stream, connection, role)
    } catch (error) {
      await this.#uses.end(connection, error as Error)
      if (role === 'dialler') throw error
      return
    } finally {
      this.#init.onHandshakeEnd()
    }
    onOpened()
    await this.#keep(session)
    await this.#uses.end(connection)
  }

  /** Says goodbye to all. */
  async close(reason: string): Promise<void> {
    this.#sessions.close()
    await Promise.allSettled([...this.sessions].map((session) => session.close(reason)))
  }

  /** From the hellos of a session to its end. */
  async #keep(session: Session): Promise<void> {
    if (!this.#sessions.enter(session)) return session.replace()
    this.#init.onJoined(session)
    const end = await session.run({
      onMessage: (message) => this.#init.onMessage(session, message),
      onRtt: (rttMs) => this.#init.onRtt(session, rttMs)
    })
    if (this.#sessions.remove(session, end)) this.#init.onDisconnected(session.peer, end)
  }
}
