/**
 * Results on their way to the user: in completion order, or put back into input order. One consumer.
 */
export class Completions<R extends { readonly index: number }> {
  readonly #ordered: boolean
  readonly #early = new Map<number, R>()
  #nextIndex = 0
  #queue: R[] = []
  #from = 0
  #waiting: PromiseWithResolvers<void> | undefined
  #end: { error?: unknown } | undefined

  constructor(ordered: boolean) {
    this.#ordered = ordered
  }

  /** Results that came and were not taken yet. */
  get size(): number {
    return this.#early.size + this.#queue.length - this.#from
  }

  push(result: R): void {
    if (!this.#ordered) return this.#enqueue(result)
    this.#early.set(result.index, result)
    for (
      let next = this.#early.get(this.#nextIndex);
      next !== undefined;
      next = this.#early.get(this.#nextIndex)
    ) {
      this.#early.delete(this.#nextIndex++)
      this.#enqueue(next)
    }
  }

  /**
   * No result will follow. With an error, `take` throws it after everything that came has been taken: results that
   * waited for their turn are kept too.
   */
  end(error?: unknown): void {
    if (this.#end !== undefined) return
    this.#end = error === undefined ? {} : { error }
    for (const [index, result] of [...this.#early].toSorted(([a], [b]) => a - b)) {
      this.#early.delete(index)
      this.#queue.push(result)
    }
    this.#wake()
  }

  /** The next result, `undefined` after the last. */
  async take(): Promise<R | undefined> {
    while (this.#from === this.#queue.length) {
      if (this.#end !== undefined) {
        if ('error' in this.#end) throw this.#end.error
        return undefined
      }
      this.#waiting ??= Promise.withResolvers()
      await this.#waiting.promise
    }
    return this.takeNow()
  }

  /** The next result if one has come: of tiny jobs thousands wait, and a promise for each would cost more than they. */
  takeNow(): R | undefined {
    if (this.#from === this.#queue.length) return undefined
    const result = this.#queue[this.#from++]
    if (this.#from === this.#queue.length || this.#from === 4096) {
      this.#queue = this.#queue.slice(this.#from)
      this.#from = 0
    }
    return result
  }

  #enqueue(result: R): void {
    this.#queue.push(result)
    this.#wake()
  }

  #wake(): void {
    this.#waiting?.resolve()
    this.#waiting = undefined
  }
}
