import type { Message } from '../protocol/messages.ts'
import type { Link, PeerId } from './link.ts'

/**
 * A pair of links within one process: what one end sends, the other end's handler gets, in order and never within
 * the call of `send`. With it a node's own slots are one more executor, and nothing else has to know.
 */
export function createLocalLinks(
  peer: PeerId,
  name: string,
  handlers: {
    onLeft: (link: Link, message: Message) => void
    onRight: (link: Link, message: Message) => void
  }
): { left: Link; right: Link } {
  const left = new LocalLink(peer, name, (message) => handlers.onRight(right, message))
  const right: Link = new LocalLink(peer, name, (message) => handlers.onLeft(left, message))
  return { left, right }
}

class LocalLink implements Link {
  readonly peer: PeerId
  readonly name: string
  readonly queuedBytes = 0
  readonly #deliver: (message: Message) => void
  #queue: Message[] = []

  constructor(peer: PeerId, name: string, deliver: (message: Message) => void) {
    this.peer = peer
    this.name = name
    this.#deliver = deliver
  }

  send(message: Message): void {
    if (this.#queue.push(message) === 1) queueMicrotask(() => this.#flush())
  }

  async drained(): Promise<void> {}

  #flush(): void {
    const messages = this.#queue
    this.#queue = []
    for (const message of messages) this.#deliver(message)
  }
}
