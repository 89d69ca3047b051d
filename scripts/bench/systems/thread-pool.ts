/** piscina and tinypool: pools of threads in the submitter's own process. No network; the API is the same. */
import { competitorVersion, loadCompetitor } from './competitors.ts'
import { type RunningSystem, type System, timeEach } from './system.ts'

interface Pool {
  run(input: unknown, options: { name: string }): Promise<unknown>
  destroy(): Promise<void>
}

type PoolClass = new (options: {
  filename: string
  minThreads: number
  maxThreads: number
  runtime?: string
}) => Pool

export const piscina: System = threadPool('piscina', 'Piscina')
export const tinypool: System = threadPool('tinypool', 'default')

function threadPool(name: string, exported: string): System {
  return {
    name,
    async start(): Promise<RunningSystem> {
      const Pool = (await loadCompetitor(name))[exported] as PoolClass
      const filename = new URL('../jobs.ts', import.meta.url).href
      const pool = new Pool({ filename, minThreads: 2, maxThreads: 2 })
      return {
        name,
        details: `${name} ${competitorVersion(name)}, 2 threads of this process`,
        async runAll(job, inputs, onValue): Promise<number> {
          const started = performance.now()
          await Promise.all(
            inputs.map((input) => {
              const called = pool.run(input, { name: job })
              return onValue === undefined ? called : called.then(onValue)
            })
          )
          return performance.now() - started
        },
        runOneByOne: (job, inputs) => timeEach(inputs, (input) => pool.run(input, { name: job })),
        [Symbol.asyncDispose]: () => pool.destroy()
      }
    }
  }
}
