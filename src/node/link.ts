import type { Message } from '../protocol/messages.ts'

/** A peer's libp2p id in text form; the name by which the mesh knows it. */
export type PeerId = string

/**
 * How a submitter and an executor talk, whether they are two peers or one process. Messages arrive in order and
 * once; who holds a link has already been authenticated.
 */
export interface Link {
  readonly peer: PeerId
  /** The peer's chosen name, for people. */
  readonly name: string
  /** Queues a message; never blocks. After the link is closed nothing is sent and nothing is thrown. */
  send(message: Message): void
  /** Bytes queued and not yet handed to the network. */
  readonly queuedBytes: number
  /** Resolves when the queue is short again, or the link closed. */
  drained(): Promise<void>
  /** Work is about to be measured by the round-trip time, so it should be known well. Within one process there is none. */
  measure?(): void
}

/** What a submitter knows of an executor. */
export interface ExecutorState {
  readonly link: Link
  slots: number
  rttMs: number
}
