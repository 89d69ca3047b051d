/**
 * When to ask the LAN who is there, and when to answer. Everybody hears every question and every answer, so what one
 * node asked the others need not ask; a mesh of any size has about one question a minute and an answer of each node to it.
 * Plain state and synchronous decisions, no socket and no clock.
 *
 * @see https://datatracker.ietf.org/doc/html/rfc6762 sections 5.2, 6 and 7.3
 */

/** A node that has heard nobody asks again: packets get lost, above all while a network is being set up. */
const LONELY_GAPS_MS = [1_000, 3_000, 9_000, 27_000] as const

/** In company, and at the end of those. Half of it more at random, so that one node asks before the others would. */
const GAP_MS = 60_000

/** However often a node is asked, it answers all at most this often. */
const ANSWER_GAP_MS = 1_000

/** Many answers to one question are spread out, so that the asker's socket can hold them. */
const SPREAD_PER_PEER_MS = 2
const MAX_SPREAD_MS = 500

/** Reasons to ask out of turn come in heaps, when a cable is pulled say. */
const HURRY_GAP_MS = 5_000

export class QuestionPace {
  readonly #random: () => number
  #nextMs: number
  #asked = 0
  #lastMs = -Infinity
  #isLonely = true

  /** @param random from 0 to 1, for jitter */
  constructor(nowMs: number, random: () => number = Math.random) {
    this.#nextMs = nowMs
    this.#random = random
  }

  /** When to ask next. */
  get nextMs(): number {
    return this.#nextMs
  }

  onAsked(nowMs: number): void {
    const gap = this.#isLonely ? LONELY_GAPS_MS[this.#asked] : undefined
    this.#asked++
    this.#lastMs = nowMs
    this.#nextMs = nowMs + (gap ?? this.#longGap())
  }

  /** Somebody else asked; this node hears the answers as well. */
  onOtherAsked(nowMs: number): void {
    // The first question of a node is an announcement of itself, too.
    if (this.#asked > 0 && !this.#isLonely) this.#nextMs = nowMs + this.#longGap()
  }

  onAnswerHeard(nowMs: number): void {
    if (!this.#isLonely) return
    this.#isLonely = false
    if (this.#asked > 0) this.#nextMs = nowMs + this.#longGap()
  }

  /** Something has changed: another network, or a peer that was lost and may be elsewhere now. */
  hurry(nowMs: number): void {
    this.#nextMs = Math.min(this.#nextMs, Math.max(nowMs, this.#lastMs + HURRY_GAP_MS))
  }

  #longGap(): number {
    return GAP_MS * (1 + 0.5 * this.#random())
  }
}

export class AnswerPace {
  readonly #random: () => number
  #dueMs: number | undefined
  #lastMs = -Infinity

  /** @param random from 0 to 1, for jitter */
  constructor(random: () => number = Math.random) {
    this.#random = random
  }

  /**
   * Somebody asked.
   *
   * @param peers how many others will answer, as far as is known
   * @returns when to answer; undefined when an answer is under way already
   */
  onQuestion(nowMs: number, peers: number): number | undefined {
    if (this.#dueMs !== undefined) return undefined
    const spreadMs = Math.min(MAX_SPREAD_MS, peers * SPREAD_PER_PEER_MS) * this.#random()
    this.#dueMs = Math.max(nowMs + spreadMs, this.#lastMs + ANSWER_GAP_MS)
    return this.#dueMs
  }

  onAnswered(nowMs: number): void {
    this.#dueMs = undefined
    this.#lastMs = nowMs
  }
}
