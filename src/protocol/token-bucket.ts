/** So many events at once, then one each interval. May go into debt, which is paid back before anything is allowed. */
export class TokenBucket {
  readonly #burst: number
  readonly #refillMs: number
  #tokens: number
  #updatedMs: number

  constructor(burst: number, refillMs: number, nowMs: number) {
    this.#burst = burst
    this.#refillMs = refillMs
    this.#tokens = burst
    this.#updatedMs = nowMs
  }

  hasToken(nowMs: number): boolean {
    return this.#refill(nowMs) >= 1
  }

  take(nowMs: number): void {
    this.#tokens = this.#refill(nowMs) - 1
  }

  #refill(nowMs: number): number {
    const elapsedMs = Math.max(0, nowMs - this.#updatedMs)
    this.#tokens = Math.min(this.#burst, this.#tokens + elapsedMs / this.#refillMs)
    this.#updatedMs = nowMs
    return this.#tokens
  }
}
