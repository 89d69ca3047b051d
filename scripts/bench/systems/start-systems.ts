/** All systems under comparison, each started when a suite first asks for it and kept until the end. */
import { bullmq } from './bullmq.ts'
import { distNode } from './dist-node.ts'
import { erlang } from './erlang.ts'
import { processes } from './processes.ts'
import { MissingError, type RunningSystem, type System } from './system.ts'
import { piscina, tinypool } from './thread-pool.ts'

const SYSTEMS: readonly System[] = [distNode, processes, piscina, tinypool, bullmq, erlang]

/** Enough for code to be compiled and connections to open their windows. */
const WARM_UP_JOBS = 2_000

export class Systems implements AsyncDisposable {
  readonly #folder: string
  readonly #onMissing: (text: string) => void
  readonly #started = new Map<string, Promise<RunningSystem | undefined>>()

  constructor(folder: string, onMissing: (text: string) => void) {
    this.#folder = folder
    this.#onMissing = onMissing
  }

  /** The system of that name, warm; `undefined` when something it needs is missing here. */
  get(name: string): Promise<RunningSystem | undefined> {
    let starting = this.#started.get(name)
    if (starting === undefined) this.#started.set(name, (starting = this.#start(name)))
    return starting
  }

  /** Version and setup of each that was started. */
  async details(): Promise<string[]> {
    const systems = await Promise.all(this.#started.values())
    return systems.flatMap((system) => (system === undefined ? [] : [system.details]))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const starting of this.#started.values()) {
      const system = await starting.catch(() => undefined)
      await system?.[Symbol.asyncDispose]()
    }
  }

  async #start(name: string): Promise<RunningSystem | undefined> {
    const system = SYSTEMS.find((one) => one.name === name)
    if (system === undefined) throw new TypeError(`no system is called '${name}'`)
    try {
      const running = await system.start(this.#folder)
      await running.runAll(
        'empty',
        Array.from({ length: WARM_UP_JOBS }, (_, index) => index)
      )
      return running
    } catch (error) {
      if (!(error instanceof MissingError)) throw error
      this.#onMissing(`${name} left out: ${error.message}`)
      return undefined
    }
  }
}
