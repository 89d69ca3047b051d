import type { PeerId } from '../link.ts'
import type { Session, SessionEnd } from './session.ts'

/** A session that takes the place of another must be there by then. */
const REPLACEMENT_TIMEOUT_MS = 3_000

/**
 * Who dials had no session when it began. If this side has had one for so long, the other side has given it up: it was
 * restarted, or has another address now, before its silence was noticed here.
 */
const GIVEN_UP_AFTER_MS = 5_000

/** The sessions this node has, one for each peer. */
export class SessionTable {
  readonly #self: PeerId
  readonly #onLeft: (session: Session, end: SessionEnd) => void
  readonly #sessions = new Map<PeerId, Session>()
  readonly #timers = new Set<NodeJS.Timeout>()

  /** @param onLeft told of every session that was entered and ended */
  constructor(self: PeerId, onLeft: (session: Session, end: SessionEnd) => void) {
    this.#self = self
    this.#onLeft = onLeft
  }

  get size(): number {
    return this.#sessions.size
  }

  has(peer: PeerId): boolean {
    return this.#sessions.has(peer)
  }

  values(): Iterable<Session> {
    return this.#sessions.values()
  }

  /**
   * Enters a session. Of two that were dialled at once the one that the smaller id dialled stays; of two of the same
   * dialler, the newer. Both sides decide alike.
   *
   * @returns whether this is the one that stays
   */
  enter(session: Session): boolean {
    const current = this.#sessions.get(session.peer)
    if (current !== undefined) {
      const smaller = [this.#self, session.peer].toSorted()[0]
      const isGivenUp =
        session.dialler === session.peer && session.openedMs - current.openedMs > GIVEN_UP_AFTER_MS
      if (!isGivenUp && current.dialler !== session.dialler && current.dialler === smaller) return false
      void current.replace()
      this.#onLeft(current, { kind: 'replaced' })
    }
    this.#sessions.set(session.peer, session)
    return true
  }

  /** Takes out a session that has ended. @returns whether its peer has no session now */
  remove(session: Session, end: SessionEnd): boolean {
    if (this.#sessions.get(session.peer) !== session) return false
    this.#sessions.delete(session.peer)
    this.#onLeft(session, end)
    if (end.kind === 'replaced') this.#awaitReplacement(session)
    return true
  }

  /** From here on nobody is told of replacements that do not come. */
  close(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
  }

  /** The session that replaces this one is a moment behind; if it does not come, the peer is gone after all. */
  #awaitReplacement(session: Session): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      if (!this.#sessions.has(session.peer)) {
        this.#onLeft(session, { kind: 'lost', reason: 'closed the connection' })
      }
    }, REPLACEMENT_TIMEOUT_MS).unref()
    this.#timers.add(timer)
  }
}
