/** When a machine lends nothing because its owner needs it: decisions alone, out of samples. */

/** What the machine looks like at a moment. */
export interface MachineSample {
  readonly nowMs: number
  readonly onBattery: boolean
  /** Share of all processors that programs other than ours have used since the sample before, from 0 to 1. */
  readonly othersShare: number
}

export interface PauseRules {
  readonly onBattery: boolean
  /** Share from which on the machine counts as busy, from 0 to 1; `undefined`: never. */
  readonly busyShare: number | undefined
}

/** A program that starts is no reason to stop lending. */
const BUSY_FOR_MS = 10_000

/** Somebody who pauses to think is not gone. */
const CALM_FOR_MS = 60_000

/** Less than this part of the limit counts as calm, so that a load about the limit does not switch to and fro. */
const CALM_PART = 0.7

export class PausePolicy {
  readonly #rules: PauseRules
  /** Since when others have used more than the limit, or less than a part of it. */
  #busySinceMs: number | undefined
  #calmSinceMs: number | undefined
  #busy = false

  constructor(rules: PauseRules) {
    this.#rules = rules
  }

  /** @returns why nothing should be lent now; `undefined`: lend */
  reason(sample: MachineSample): string | undefined {
    this.#judgeLoad(sample)
    if (this.#rules.onBattery && sample.onBattery) return 'this machine runs on its battery'
    return this.#busy ? 'other programs need this machine' : undefined
  }

  #judgeLoad({ nowMs, othersShare }: MachineSample): void {
    const { busyShare } = this.#rules
    if (busyShare === undefined) return
    this.#busySinceMs = othersShare >= busyShare ? (this.#busySinceMs ?? nowMs) : undefined
    this.#calmSinceMs = othersShare < busyShare * CALM_PART ? (this.#calmSinceMs ?? nowMs) : undefined
    if (this.#busySinceMs !== undefined && nowMs - this.#busySinceMs >= BUSY_FOR_MS) this.#busy = true
    if (this.#calmSinceMs !== undefined && nowMs - this.#calmSinceMs >= CALM_FOR_MS) this.#busy = false
  }
}
