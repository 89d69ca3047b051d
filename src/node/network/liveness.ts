/**
 * Whether a peer is still there, by what was heard of it and when. Whatever a peer says is a sign of life; it is asked for
 * one only when it has said nothing for some time. Plain state and synchronous decisions, no socket and no clock.
 */

/** After so much silence a peer is asked whether it is there, */
const ASK_AFTER_MS = 7_000

/** and has so long to answer: what a starved machine may need, */
const ANSWER_WITHIN_MS = 3_000

/** so that one which says nothing for this long is gone, whatever TCP believes. */
const SILENCE_LIMIT_MS = ASK_AFTER_MS + ANSWER_WITHIN_MS

/**
 * In larger meshes idle peers are given more time, in proportion, so that a node with fifty does not spend its life asking. One
 * that works for us, or for whom we work, is never given more.
 */
const PEERS_AT_FULL_PACE = 16

/** After the last message that had to do with work. */
const WORK_MS = 600_000

/** A beat that comes so late tells of a process that was stopped, or too busy to listen. */
const STALL_MS = 4_000

/** A question that has been under way for less is on its way; peers of a LAN answer within milliseconds, busy ones later. */
const OVERDUE_MS = 400

export class Liveness {
  #heardMs: number
  #beatMs: number
  #workedMs = -Infinity
  /** First question since something was heard. */
  #askedMs: number | undefined
  /** When each ping that was not answered left. */
  readonly #pings = new Map<number, number>()
  #nextPing = 0

  constructor(nowMs: number) {
    this.#heardMs = nowMs
    this.#beatMs = nowMs
  }

  get isAsking(): boolean {
    return this.#pings.size > 0
  }

  onHeard(nowMs: number): void {
    this.#heardMs = nowMs
    this.#askedMs = undefined
  }

  /** Work is under way with the peer, or somebody looks at it: its silence matters. */
  onWork(nowMs: number): void {
    this.#workedMs = nowMs
  }

  /** A ping leaves. @returns its number */
  onPing(nowMs: number): number {
    const n = this.#nextPing++
    this.#pings.set(n, nowMs)
    this.#askedMs ??= nowMs
    return n
  }

  /** @returns the round-trip time in milliseconds; undefined when it answers nothing that was asked lately */
  onPong(n: number, nowMs: number): number | undefined {
    const sentMs = this.#pings.get(n)
    if (sentMs === undefined) return undefined
    this.#pings.clear()
    return nowMs - sentMs
  }

  /** For how long the peer has said nothing at all. */
  quietMs(nowMs: number): number {
    return nowMs - this.#heardMs
  }

  /** For how long the peer has owed a sign of life it was asked for; 0 while it owes none. */
  silentMs(nowMs: number): number {
    const silentMs = this.#askedMs === undefined ? 0 : nowMs - this.#askedMs
    return silentMs < OVERDUE_MS ? 0 : Math.round(silentMs)
  }

  /**
   * To be called every second.
   *
   * @param peers how many this node is connected to
   */
  beat(nowMs: number, peers: number): 'there' | 'ask' | 'gone' {
    // A process that was stopped itself (sleep, SIGSTOP) has heard nothing because it did not listen.
    if (nowMs - this.#beatMs > STALL_MS) {
      this.onHeard(nowMs)
      this.#pings.clear()
    }
    this.#beatMs = nowMs
    const isWorking = nowMs - this.#workedMs < WORK_MS
    const pace = isWorking ? 1 : Math.max(1, peers / PEERS_AT_FULL_PACE)
    const quietMs = this.quietMs(nowMs)
    // Who was not asked for lack of interest is asked first.
    const owedMs = this.#askedMs === undefined ? 0 : nowMs - this.#askedMs
    if (quietMs > pace * SILENCE_LIMIT_MS && owedMs >= ANSWER_WITHIN_MS - 1_000) return 'gone'
    return quietMs > pace * ASK_AFTER_MS ? 'ask' : 'there'
  }
}
