import type { DialPlan } from './dial-plan.ts'
import type { PeerId } from '../link.ts'

/** Clocks may jump, and timers of many days do not exist: the plan is looked at this often at least. */
const LONGEST_SLEEP_MS = 60_000

/** Dials what the plan says when it says so, and sleeps in between. */
export class DialLoop {
  readonly #plan: DialPlan
  readonly #isConnected: (id: PeerId) => boolean
  readonly #dial: (dial: { key: string; addresses: string[] }) => void
  #timer: NodeJS.Timeout | undefined
  #isQueued = false
  #isClosed = false

  constructor(
    plan: DialPlan,
    isConnected: (id: PeerId) => boolean,
    dial: (dial: { key: string; addresses: string[] }) => void
  ) {
    this.#plan = plan
    this.#isConnected = isConnected
    this.#dial = dial
  }

  /** Something has happened that may have changed the plan. */
  wake(): void {
    if (this.#isQueued || this.#isClosed) return
    this.#isQueued = true
    // News come in heaps: a peer tells of all the others at once.
    setImmediate(() => {
      this.#isQueued = false
      this.#look()
    })
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
  }

  #look(): void {
    if (this.#isClosed) return
    clearTimeout(this.#timer)
    for (const dial of this.#plan.due(performance.now(), this.#isConnected)) this.#dial(dial)
    const sleepMs = this.#plan.nextMs(this.#isConnected) - performance.now()
    this.#timer = setTimeout(() => this.#look(), Math.min(LONGEST_SLEEP_MS, Math.max(1, sleepMs)))
  }
}
