import { WorkerProcess } from './process.ts'
import type { WorkerProcessOptions } from './process.ts'
import type { Sandbox } from './sandbox.ts'

/**
 * Warm, pristine worker processes: a run does not wait for one to start (30 to 100 ms), and none is ever used twice.
 *
 * Owns the processes until they are taken; `close()` ends the rest.
 */
export class SpareWorkers {
  readonly #sandbox: Sandbox
  readonly #options: WorkerProcessOptions
  readonly #count: number
  readonly #spares: WorkerProcess[] = []
  /** Processes that were taken and have not ended. */
  #taken = 0
  #failures = 0
  #closed = false
  #refilling = false
  #refillTimer: NodeJS.Timeout | undefined

  /** Keeps `count` processes ready, started one after another. */
  constructor(sandbox: Sandbox, count: number, options: WorkerProcessOptions = {}) {
    this.#sandbox = sandbox
    this.#options = options
    this.#count = count
    const probed = sandbox.takeSpare?.()
    if (probed !== undefined) this.#spares.push(probed)
    void this.#refill()
  }

  /** The spare that is furthest on its way, or a new process. The caller owns it, and refills happen behind. */
  take(): WorkerProcess {
    let worker = this.#spares.shift()
    while (worker?.ended === true) worker = this.#spares.shift()
    worker ??= WorkerProcess.spawn(this.#sandbox, this.#options)
    this.#taken++
    void worker.exited.then(() => this.#onTakenExited())
    this.#refillIn(REFILL_WHILE_BUSY_MS)
    return worker
  }

  /** Ends all spares and starts no more. Resolves when they are gone. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#refillTimer)
    await Promise.all(this.#spares.splice(0).map((worker) => worker.kill()))
  }

  #onTakenExited(): void {
    this.#taken--
    if (this.#taken === 0 && !this.#closed) this.#refillIn(REFILL_WHEN_IDLE_MS)
  }

  #refillIn(ms: number): void {
    clearTimeout(this.#refillTimer)
    this.#refillTimer = setTimeout(() => void this.#refill(), ms).unref()
  }

  /** One at a time, so that starting spares never takes more than one core from running jobs. */
  async #refill(): Promise<void> {
    if (this.#refilling) return
    this.#refilling = true
    while (!this.#closed && this.#spares.length < this.#count && this.#failures < MAX_FAILURES) {
      const worker = WorkerProcess.spawn(this.#sandbox, this.#options)
      this.#spares.push(worker)
      try {
        await worker.ready
        this.#failures = 0
      } catch {
        // One that was taken and killed while it started is no failure of the sandbox.
        const at = this.#spares.indexOf(worker)
        if (at === -1) continue
        this.#spares.splice(at, 1)
        this.#failures++
      }
    }
    this.#refilling = false
  }
}

/** Spares are made when all that were taken have ended, and nobody has taken another for this long. */
const REFILL_WHEN_IDLE_MS = 300

/**
 * While runs are under way, only when none was taken for this long: a start takes 0.1 s of a core, which short runs need
 * more urgently, and beside a long run it matters little.
 */
const REFILL_WHILE_BUSY_MS = 5_000

/** A sandbox that worked and now fails again and again (no memory, no processes left): stop trying on our own. */
const MAX_FAILURES = 5
