/** What only dist-node has: functions that carry what they captured, and a call as users write it. */
import { median } from './statistics.ts'
import type { Bench, Suite } from './suite.ts'
import { distNode, type RunningDistNode } from './systems/dist-node.ts'
import { empty } from './jobs.ts'

export const suite: Suite = {
  name: 'closures',
  about: 'printed functions: each closure by itself, and node.call',
  async run(bench: Bench): Promise<void> {
    const systems = (await bench.systems(distNode.name)) as RunningDistNode[]
    const calls = bench.quick ? 20 : 100
    const count = bench.quick ? 1_000 : 10_000
    await bench.alternate(systems, async ({ node, name: system }) => {
      const times: number[] = []
      for (let n = 0; n < calls; n++) {
        const started = performance.now()
        await node.call(empty)
        times.push((performance.now() - started) * 1000)
      }
      bench.record({ workload: 'node.call, p50', system, value: median(times), unit: 'us', better: 'less' })

      const jobs = Array.from({ length: count }, (_, index) => () => index)
      const started = performance.now()
      for await (const result of node.run(jobs)) {
        if (result.status === 'error') throw result.error
      }
      const value = (count / (performance.now() - started)) * 1000
      const workload = `${count.toLocaleString('en')} closures of one site`
      bench.record({ workload, system, value, unit: 'jobs/s', better: 'more' })
    })
  }
}
