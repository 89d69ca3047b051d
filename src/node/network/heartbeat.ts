/** Whether peers are still there: seldom asked while nobody cares, so that an idle mesh is idle; often while somebody looks. */

/** One timer for all sessions, so that an idle node sleeps in between. */
const BEAT_EVERY_MS = 1_000

/** While somebody looks, so that a pulled cable shows within a second. */
const PROBE_EVERY_MS = 500

/** After a look: `peers --watch` looks four times a second. */
const ATTENTION_MS = 2_000

/** A session, as far as this needs to know. */
export interface Beating {
  beat(peers: number): void
  probe(afterMs: number): void
}

export class Heartbeat {
  readonly #sessions: () => Iterable<Beating>
  readonly #beats: NodeJS.Timeout
  #probes: NodeJS.Timeout | undefined
  #lookedMs = -Infinity

  constructor(sessions: () => Iterable<Beating>) {
    this.#sessions = sessions
    this.#beats = setInterval(() => {
      const all = [...sessions()]
      for (const session of all) session.beat(all.length)
    }, BEAT_EVERY_MS)
  }

  /** Somebody wants to know how the peers are. */
  attend(): void {
    this.#lookedMs = performance.now()
    this.#probes ??= setInterval(() => this.#probe(), PROBE_EVERY_MS).unref()
  }

  close(): void {
    clearInterval(this.#beats)
    clearInterval(this.#probes)
  }

  #probe(): void {
    if (performance.now() - this.#lookedMs > ATTENTION_MS) {
      clearInterval(this.#probes)
      this.#probes = undefined
      return
    }
    for (const session of this.#sessions()) session.probe(PROBE_EVERY_MS / 2)
  }
}
