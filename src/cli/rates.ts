/** What is remembered to tell how fast something goes at present. */
const WINDOW_MS = 5_000

interface Sample {
  readonly ms: number
  readonly count: number
}

/** How fast counts grow, over the last five seconds. */
export class Rates {
  readonly #samples = new Map<string, Sample[]>()

  /** Notes a count as it is now; call it several times a second. */
  note(name: string, count: number, nowMs: number): void {
    const samples = this.#samples.get(name) ?? []
    this.#samples.set(name, samples)
    // The time before the first one says nothing of how fast it goes.
    if (count === 0) samples.length = 0
    samples.push({ ms: nowMs, count })
    while (samples.length > 2 && nowMs - samples[0]!.ms > WINDOW_MS) samples.shift()
  }

  /** Per second; 0 as long as nothing is known. */
  perSecond(name: string): number {
    const samples = this.#samples.get(name)
    const [first] = samples ?? []
    const last = samples?.at(-1)
    if (first === undefined || last === undefined || last.ms === first.ms) return 0
    return ((last.count - first.count) * 1_000) / (last.ms - first.ms)
  }
}
