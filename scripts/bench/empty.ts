/** How many jobs a second when there is nothing to do: what a job costs besides itself. */
import { distNode } from './systems/dist-node.ts'
import type { Bench, Suite } from './suite.ts'

/** Systems this slow are asked for a large number of jobs only once. */
const SLOW: ReadonlySet<string> = new Set(['bullmq'])

export const suite: Suite = {
  name: 'empty',
  about: 'empty jobs, all submitted at once, 2 slots',
  async run(bench: Bench): Promise<void> {
    const systems = await bench.systems(distNode.name, 'piscina', 'tinypool', 'bullmq', 'erlang')
    for (const count of bench.quick ? [1_000, 10_000] : [1_000, 10_000, 100_000]) {
      const inputs = Array.from({ length: count }, (_, index) => index)
      const workload = `${count.toLocaleString('en')} empty jobs`
      await bench.alternate(systems, async (system, repetition) => {
        if (SLOW.has(system.name) && count > 10_000 && repetition > 0) return
        const ms = await system.runAll('empty', inputs)
        const value = (count / ms) * 1000
        bench.record({ workload, system: system.name, value, unit: 'jobs/s', better: 'more' })
      })
    }
  }
}
