/** Held runs as a node has them: it may keep runs for others, and it may hand over and follow its own. */
import { RunsFolder } from '../../journal/runs-folder.ts'
import type { HeldRunStatus } from '../../protocol/held-messages.ts'
import type { Message } from '../../protocol/messages.ts'
import { AttachedRun, type AttachOptions } from './held-attach.ts'
import { cancelHeldRun } from './held-cancel.ts'
import { HeldClient } from './held-client.ts'
import { type DetachedRun, detachRun } from './held-detach.ts'
import { FIND_WAIT_MS, findHeldRun, type HeldRunInfo, listHeldRuns } from './held-find.ts'
import { HandOverLost } from './held-sender.ts'
import { Holder } from './holder.ts'
import type { JobLike, JobOptions } from '../run/job.ts'
import { createLocalLinks } from '../local-link.ts'
import { MAX_TIMER_MS, refuseUnknown } from '../option-checks.ts'
import { resolveRunOptions } from '../options.ts'
import type { Session } from '../network/session.ts'
import type { Submitter } from '../run/submitter.ts'

const LIST_WAIT_MS = 1_000

/** How often a run is handed over anew when its holder is lost meanwhile. */
const MAX_TRIES = 3

const DETACH_KEYS: readonly (keyof DetachOptions)[] = [
  'timeoutMs', 'retries', 'idempotent', 'label', 'setup', 'signal', 'waitMs'
] // prettier-ignore
const ATTACH_KEYS: readonly (keyof AttachOptions)[] = ['ordered', 'waitMs', 'signal']
const FIND_KEYS: readonly (keyof FindOptions)[] = ['waitMs', 'signal']

/** How a run is detached; the job options hold for every job that does not say otherwise. */
export interface DetachOptions extends JobOptions {
  /** What the run is called in lists. @default 'run' */
  label?: string
  /** Runs once in each worker process before its first job of this run. */
  setup?: () => unknown
  /** Gives up handing over; the holder then forgets the run. */
  signal?: AbortSignal
  /** How long to wait for a node that takes the run, in milliseconds. @default 10 000 */
  waitMs?: number
}

/** How long to look for a run, and what ends that. */
export interface FindOptions {
  /** In milliseconds. @default 10 000; for lists 1 000 */
  waitMs?: number
  /** Ends the search: the call throws its reason. */
  signal?: AbortSignal
}

interface HeldParts {
  readonly self: { readonly peer: string; readonly node: string }
  readonly submitter: Submitter
  readonly folder: string
  /** Whether this node keeps runs for others. */
  readonly hold: boolean
  readonly onWarning: (message: string) => void
  readonly onHeld: (run: HeldRunStatus) => void
  readonly onHolderLost: (run: string, holder: string) => void
  readonly onHolderFound: (run: string, holder: string) => void
}

export class Held {
  readonly #parts: HeldParts
  readonly #client: HeldClient
  readonly #holder: Holder | undefined
  readonly #stopped = new AbortController()
  #isRestored = false

  constructor(parts: HeldParts) {
    const { submitter, self, onWarning, onHeld } = parts
    this.#parts = parts
    this.#client = new HeldClient(() => submitter.nextNumber())
    if (!parts.hold) return
    this.#holder = new Holder({
      folder: new RunsFolder(parts.folder),
      self,
      onWarning,
      onHeld,
      // It waits for somebody to run its jobs, and then looks again.
      start: (source, label) => submitter.runFrom(source, resolveRunOptions({ label, waitMs: MAX_TIMER_MS }))
    })
    this.#addOwnHolder(this.#holder)
  }

  get holds(): boolean {
    return this.#holder !== undefined
  }

  /** Goes on with what this node held before; once. */
  restore(): void {
    if (!this.#isRestored) this.#holder?.restore()
    this.#isRestored = true
  }

  addSession(session: Session, isSameHost: () => boolean): void {
    this.#holder?.addLink(session)
    const { slots, holds } = session.hello
    if (holds === true) this.#client.addHolder({ link: session, slots, isSameHost })
  }

  removeSession(session: Session): void {
    this.#holder?.removeLink(session)
    this.#client.removeHolder(session)
  }

  onMessage(session: Session, message: Message): void {
    this.#holder?.onMessage(session, message)
    this.#client.onMessage(session, message)
  }

  async detach(
    jobs: Iterable<JobLike> | AsyncIterable<JobLike>,
    options: DetachOptions
  ): Promise<DetachedRun> {
    refuseUnknown('detach', options, DETACH_KEYS)
    const resolved = { ...resolveRunOptions(options), signal: this.#untilStopped(options.signal) }
    for (let tries = 1; ; tries++) {
      try {
        return await detachRun(this.#client, this.#parts.submitter.source(jobs, resolved), resolved)
      } catch (error) {
        // Of an array the beginning is still there; two nodes that have just met may exchange one connection for another.
        if (!(error instanceof HandOverLost) || !Array.isArray(jobs) || tries === MAX_TRIES) throw error
      }
    }
  }

  attach<T>(id: string, options: AttachOptions): AttachedRun<T> {
    refuseUnknown('attach', options, ATTACH_KEYS)
    const { onHolderLost, onHolderFound } = this.#parts
    const parts = { client: this.#client, onAway: onHolderLost, onBack: onHolderFound }
    return new AttachedRun<T>(parts, id, { ...options, signal: this.#untilStopped(options.signal) })
  }

  async cancel(id: string, options: FindOptions): Promise<HeldRunInfo> {
    refuseUnknown('cancel', options, FIND_KEYS)
    const { waitMs = FIND_WAIT_MS } = options
    const signal = this.#untilStopped(options.signal)
    const { id: whole } = await findHeldRun(this.#client, id, { waitMs, signal })
    return cancelHeldRun(this.#client, whole, { signal })
  }

  async list(options: FindOptions): Promise<HeldRunInfo[]> {
    refuseUnknown('heldRuns', options, FIND_KEYS)
    const { waitMs = LIST_WAIT_MS } = options
    return listHeldRuns(this.#client, { waitMs, signal: this.#untilStopped(options.signal) })
  }

  /**
   * Ends following, detaching, searching. The held runs have to be failed meanwhile: it waits until what came of them has
   * been written down.
   */
  async close(error: Error): Promise<void> {
    this.#stopped.abort(error)
    await this.#holder?.close()
  }

  #untilStopped(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.#stopped.signal : AbortSignal.any([signal, this.#stopped.signal])
  }

  #addOwnHolder(holder: Holder): void {
    const { peer, node } = this.#parts.self
    const { left, right } = createLocalLinks(peer, node, {
      onLeft: (link, message) => this.#client.onMessage(link, message),
      onRight: (link, message) => holder.onMessage(link, message)
    })
    holder.addLink(right)
    this.#client.addHolder({ link: left, slots: 0, isSameHost: () => true })
  }
}
