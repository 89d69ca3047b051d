import type { Message } from '../../protocol/messages.ts'
import type { Link } from '../link.ts'

/** A peer (or this node itself) that keeps runs for others. */
export interface HolderState {
  readonly link: Link
  readonly slots: number
  /** Whether it is a node of this user on this machine, as far as is known now. */
  readonly isSameHost: () => boolean
}

/** Who talks to holders: gets every event, and knows which answers are its own. */
export interface HeldListener {
  onHolderJoined?(holder: HolderState): void
  onHolderLost?(link: Link): void
  onMessage(link: Link, message: Message): void
}

/** The half of a node that hands runs over and follows them: which holders there are, and who talks to them. */
export class HeldClient {
  readonly #holders = new Map<Link, HolderState>()
  readonly #listeners = new Set<HeldListener>()
  readonly #nextNumber: () => number

  /** @param nextNumber for conversations; from the same numbers as runs */
  constructor(nextNumber: () => number) {
    this.#nextNumber = nextNumber
  }

  get holders(): Iterable<HolderState> {
    return this.#holders.values()
  }

  nextNumber(): number {
    return this.#nextNumber()
  }

  /** Tells a listener of every holder there is, and from now on of all that happens. @returns what ends that */
  listen(listener: HeldListener): () => void {
    this.#listeners.add(listener)
    for (const holder of this.#holders.values()) listener.onHolderJoined?.(holder)
    return () => this.#listeners.delete(listener)
  }

  addHolder(holder: HolderState): void {
    this.#holders.set(holder.link, holder)
    for (const listener of this.#listeners) listener.onHolderJoined?.(holder)
  }

  removeHolder(link: Link): void {
    if (!this.#holders.delete(link)) return
    for (const listener of this.#listeners) listener.onHolderLost?.(link)
  }

  onMessage(link: Link, message: Message): void {
    for (const listener of this.#listeners) listener.onMessage(link, message)
  }
}
