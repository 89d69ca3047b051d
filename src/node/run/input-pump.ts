import type { PrintedTask } from './task-printer.ts'
import type { TaskSink, TaskSource } from './task-source.ts'

/** Tasks that are settled as they come, without waiting for a peer, before everything else has its turn. */
const SETTLED_PER_TURN = 1_024

export interface PumpEffects {
  /** How many tasks may come now. */
  room(): number
  /** @returns how many of them needed no peer */
  add(tasks: PrintedTask[]): number
}

/** Moves the tasks of a run from its source as there is room for them. */
export class InputPump {
  readonly #source: TaskSource
  readonly #effects: PumpEffects
  #isOpen = true
  #settled = 0
  #waiting: PromiseWithResolvers<void> | undefined

  constructor(source: TaskSource, effects: PumpEffects) {
    this.#source = source
    this.#effects = effects
  }

  /** Opens the source, and closes it in any case. @returns whether its end was reached; false: {@link stop} came before */
  async run(): Promise<boolean> {
    const sink = this.#makeSink()
    try {
      await this.#source.open()
      while (this.#isOpen) {
        if (this.#settled >= SETTLED_PER_TURN) await this.#letOthersRun()
        const count = this.#effects.room()
        if (count === 0) await this.#waitForRoom()
        else if (await this.#source.read(count, sink)) return this.#isOpen
      }
      return false
    } finally {
      await this.#source.close()
    }
  }

  /** There may be room again. */
  wake(): void {
    if (this.#waiting === undefined) return
    if (this.#isOpen && this.#effects.room() === 0) return
    this.#waiting.resolve()
    this.#waiting = undefined
  }

  /** No more tasks are wanted. */
  stop(): void {
    this.#isOpen = false
    this.wake()
  }

  #makeSink(): TaskSink {
    const isOpen = (): boolean => this.#isOpen
    return {
      get isOpen() {
        return isOpen()
      },
      add: (tasks) => {
        this.#settled += this.#effects.add(tasks)
      }
    }
  }

  async #letOthersRun(): Promise<void> {
    this.#settled = 0
    await new Promise((resolve) => setImmediate(resolve))
  }

  async #waitForRoom(): Promise<void> {
    this.#waiting ??= Promise.withResolvers()
    await this.#waiting.promise
  }
}
