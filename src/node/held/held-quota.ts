import {
  KEEP_ENDED_MS,
  MAX_HELD_BYTES,
  MAX_HELD_RUN_BYTES,
  MAX_HELD_RUNS,
  MAX_SUBMITTER_BYTES,
  MAX_SUBMITTER_RUNS
} from './held-limits.ts'

interface Entry {
  readonly submitter: string
  bytes: number
  /** Milliseconds since 1970; undefined while it goes on. */
  endedMs: number | undefined
}

const GIB = 1024 ** 3

/** Counts what a holder keeps, says what it does not take, and what has to go to make room. Holder's side; no disk here. */
export class HeldQuota {
  readonly #entries = new Map<string, Entry>()

  add(id: string, submitter: string, bytes: number, endedMs?: number): void {
    this.#entries.set(id, { submitter, bytes, endedMs })
  }

  delete(id: string): void {
    this.#entries.delete(id)
  }

  /** @param endedMs undefined: it goes on, and makes room for no other */
  end(id: string, endedMs: number | undefined): void {
    const entry = this.#entries.get(id)
    if (entry !== undefined) entry.endedMs = endedMs
  }

  /** @returns why it is too much; `undefined`: it is not. Counted in any case */
  grow(id: string, bytes: number): string | undefined {
    const entry = this.#entries.get(id)
    if (entry === undefined) return undefined
    entry.bytes += bytes
    if (entry.bytes > MAX_HELD_RUN_BYTES) {
      return `more than ${MAX_HELD_RUN_BYTES / GIB} GiB of functions, arguments and results`
    }
    return this.#refusal(entry.submitter, 0)
  }

  /**
   * The same for results of a run that was taken: what others fill the disk with ends it only when its submitter has most
   * of all there.
   */
  growByResults(id: string, bytes: number): string | undefined {
    const refusal = this.grow(id, bytes)
    const entry = this.#entries.get(id)
    if (refusal === undefined || entry === undefined || entry.bytes > MAX_HELD_RUN_BYTES) return refusal
    const bySubmitter = new Map<string, number>()
    let all = 0
    for (const each of this.#entries.values()) {
      bySubmitter.set(each.submitter, (bySubmitter.get(each.submitter) ?? 0) + each.bytes)
      all += each.bytes
    }
    const own = bySubmitter.get(entry.submitter) ?? 0
    const isMost = own >= Math.max(...bySubmitter.values())
    return own > MAX_SUBMITTER_BYTES || isMost || all > MAX_HELD_BYTES + MAX_SUBMITTER_BYTES
      ? refusal
      : undefined
  }

  /** Runs to forget before one more is taken: those too old, then ended ones that stand in the way, the oldest first. */
  toForget(submitter: string, nowMs: number): string[] {
    const ended = [...this.#entries]
      .filter(([, { endedMs }]) => endedMs !== undefined)
      .toSorted(([, a], [, b]) => a.endedMs! - b.endedMs!)
    const forgotten: string[] = []
    for (const [id, { endedMs }] of ended) {
      if (nowMs - endedMs! < KEEP_ENDED_MS && this.#refusal(submitter, 1, forgotten) === undefined) break
      forgotten.push(id)
    }
    return forgotten
  }

  /** @returns why no run of this submitter is taken now */
  refusal(submitter: string): string | undefined {
    return this.#refusal(submitter, 1)
  }

  #refusal(submitter: string, more: number, without: readonly string[] = []): string | undefined {
    const all = [...this.#entries].filter(([id]) => !without.includes(id)).map(([, entry]) => entry)
    const own = all.filter((entry) => entry.submitter === submitter)
    const bytes = (entries: readonly Entry[]): number => entries.reduce((sum, entry) => sum + entry.bytes, 0)
    if (own.length + more > MAX_SUBMITTER_RUNS)
      return `it holds ${own.length} runs of this node, and takes no more`
    if (all.length + more > MAX_HELD_RUNS) return `it holds ${all.length} runs, and takes no more`
    if (bytes(own) > MAX_SUBMITTER_BYTES) {
      return `the runs it holds of this node have more than ${MAX_SUBMITTER_BYTES / GIB} GiB`
    }
    if (bytes(all) > MAX_HELD_BYTES) return `the runs it holds have more than ${MAX_HELD_BYTES / GIB} GiB`
    return undefined
  }
}
