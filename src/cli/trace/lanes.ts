/** Where jobs are drawn: which slot of a peer a job was on is not told, but it can be guessed from when answers came. */

export interface Slice {
  /** From 0; never more lanes than slots, unless answers came closer together than they can have been computed. */
  readonly lane: number
  readonly startMs: number
  readonly endMs: number
}

/** One peer's slots side by side. */
export class Lanes {
  /** Until when each lane is taken. */
  readonly #takenUntilMs: number[] = []

  /**
   * Jobs whose answers came together, in the order in which they ended: the last one just now, those before it earlier on
   * the same lane or at the same time on another.
   *
   * @param durationsMs time inside the function of each
   */
  place(durationsMs: readonly number[], nowMs: number, slots: number): Slice[] {
    while (this.#takenUntilMs.length < slots) this.#takenUntilMs.push(-Infinity)
    // From now on backwards; a lane has room from where it was taken until here.
    const roomUntilMs = this.#takenUntilMs.map(() => nowMs)
    const slices = durationsMs.toReversed().map((durationMs) => {
      const lane = this.#bestLane(roomUntilMs, durationMs)
      const endMs = roomUntilMs[lane] ?? nowMs
      const startMs = Math.max(endMs - durationMs, Math.min(endMs, this.#takenUntilMs[lane] ?? -Infinity))
      roomUntilMs[lane] = startMs
      return { lane, startMs, endMs }
    })
    for (const { lane } of slices) this.#takenUntilMs[lane] = nowMs
    return slices.toReversed()
  }

  /** The first lane on which it fits as it is, else the one with most room. */
  #bestLane(roomUntilMs: readonly number[], durationMs: number): number {
    const rooms = roomUntilMs.map((untilMs, lane) => untilMs - (this.#takenUntilMs[lane] ?? -Infinity))
    const fitting = rooms.findIndex((room) => room >= durationMs)
    return fitting === -1 ? rooms.indexOf(Math.max(...rooms)) : fitting
  }
}
