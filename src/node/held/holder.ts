/** The half of a node that keeps runs of others: who hands one over, who follows one, who asks. */
import type { FindRunsMessage, FollowMessage, HoldMessage } from '../../protocol/held-messages.ts'
import { MAX_LISTED_RUNS } from '../../protocol/limits.ts'
import type { Message } from '../../protocol/messages.ts'
import { HeldFeed } from './held-feed.ts'
import { HeldHandOver } from './held-hand-over.ts'
import { MAX_HELD_TALKS, MAX_WAITING_BYTES } from './held-limits.ts'
import type { HeldRun } from './held-run.ts'
import { HeldRuns, type HeldRunsParts } from './held-runs.ts'
import type { Link } from '../link.ts'

/** One conversation about one run; `opening`: its file is being opened. */
type Talk = HeldHandOver | HeldFeed | 'opening'

export class Holder {
  readonly #runs: HeldRuns
  readonly #onWarning: (message: string) => void
  readonly #talks = new Map<Link, Map<number, Talk>>()
  /** Questions that wait until their asker has read what it asked for before. */
  readonly #asking = new WeakMap<Link, number>()

  constructor(parts: HeldRunsParts) {
    this.#runs = new HeldRuns(parts)
    this.#onWarning = parts.onWarning
  }

  /** Goes on with the runs of before. */
  restore(): void {
    this.#runs.restore()
  }

  addLink(link: Link): void {
    this.#talks.set(link, new Map())
  }

  removeLink(link: Link): void {
    for (const talk of this.#talks.get(link)?.values() ?? []) this.#end(talk)
    this.#talks.delete(link)
  }

  onMessage(link: Link, message: Message): void {
    const talks = this.#talks.get(link)
    if (talks === undefined) return
    switch (message.type) {
      case 'hold':
        return this.#onHold(link, talks, message)
      case 'follow':
        return void this.#onFollow(link, talks, message)
      case 'find-runs':
        return void this.#onFind(link, message)
      case 'blob':
        return handOver(talks, message.run)?.onBlob(message)
      case 'jobs':
        return handOver(talks, message.run)?.onJobs(message)
      case 'hold-end': {
        handOver(talks, message.run)?.onEnd(message.jobs)
        talks.delete(message.run)
        return
      }
      case 'taken':
        return feed(talks, message.run)?.onTaken(message.position)
      case 'cancel': {
        const held = feed(talks, message.run)?.held
        if (held !== undefined && message.jobs.length === 0) this.#runs.cancel(held)
        return
      }
      case 'run-close': {
        const talk = talks.get(message.run)
        talks.delete(message.run)
        if (talk !== undefined) this.#end(talk)
        return
      }
      default:
    }
  }

  /** Waits until what runs has been written down; the runs have to be failed before. */
  async close(): Promise<void> {
    for (const talks of this.#talks.values()) for (const talk of talks.values()) this.#end(talk)
    this.#talks.clear()
    await this.#runs.close()
  }

  async #onFind(link: Link, { request, prefix }: FindRunsMessage): Promise<void> {
    if (!(await this.#hasRoom(link))) return
    const runs = this.#runs.statuses(prefix).slice(0, MAX_LISTED_RUNS)
    link.send({ type: 'found-runs', request, runs })
  }

  /**
   * A question has a hundred bytes, its answer may have hundreds of thousands: who does not read them gets no more, and
   * who asks again and again meanwhile no answer at all.
   */
  async #hasRoom(link: Link): Promise<boolean> {
    if (link.queuedBytes <= MAX_WAITING_BYTES) return true
    const waiting = this.#asking.get(link) ?? 0
    if (waiting >= MAX_HELD_TALKS) return false
    this.#asking.set(link, waiting + 1)
    await link.drained()
    this.#asking.set(link, this.#asking.get(link)! - 1)
    return this.#talks.has(link)
  }

  #onHold(link: Link, talks: Map<number, Talk>, message: HoldMessage): void {
    if (talks.has(message.run)) return
    if (talks.size >= MAX_HELD_TALKS) {
      const reason = `it is busy with ${talks.size} runs of this node`
      return link.send({ type: 'held', run: message.run, state: 'refused', reason })
    }
    talks.set(message.run, new HeldHandOver(link, message, this.#runs, this.#onWarning))
  }

  async #onFollow(link: Link, talks: Map<number, Talk>, { run, id, position }: FollowMessage): Promise<void> {
    if (talks.has(run) || talks.size >= MAX_HELD_TALKS) return
    talks.set(run, 'opening')
    const held = (await this.#hasRoom(link)) ? await this.#find(id) : undefined
    if (talks.get(run) !== 'opening' || this.#talks.get(link) !== talks) {
      // The follower has left meanwhile.
      if (held !== undefined) this.#runs.release(held)
      return
    }
    if (held === undefined) {
      talks.delete(run)
      return link.send({ type: 'followed', run })
    }
    talks.set(run, new HeldFeed(link, run, held, position))
  }

  /** What is wrong with one run must not end the node. */
  async #find(id: string): Promise<HeldRun | undefined> {
    try {
      return await this.#runs.find(id)
    } catch (error) {
      this.#onWarning(`run ${id} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
      return undefined
    }
  }

  #end(talk: Talk): void {
    if (talk === 'opening') return
    if (talk instanceof HeldHandOver) return talk.abandon()
    talk.close()
    this.#runs.release(talk.held)
  }
}

function handOver(talks: ReadonlyMap<number, Talk>, run: number): HeldHandOver | undefined {
  const talk = talks.get(run)
  return talk instanceof HeldHandOver && talk.isOpen ? talk : undefined
}

function feed(talks: ReadonlyMap<number, Talk>, run: number): HeldFeed | undefined {
  const talk = talks.get(run)
  return talk instanceof HeldFeed ? talk : undefined
}
