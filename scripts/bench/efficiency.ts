/** How much of two cores the jobs themselves get: the ideal time divided by the time it took. */
import { sum } from './statistics.ts'
import type { Bench, Suite } from './suite.ts'
import { distNode } from './systems/dist-node.ts'

const SLOTS = 2

interface Workload {
  readonly name: string
  readonly inputs: readonly number[]
}

export const suite: Suite = {
  name: 'efficiency',
  about: 'jobs that keep a core busy for a while; 1 is perfect (total work / 2 slots, or the longest job)',
  async run(bench: Bench): Promise<void> {
    const systems = await bench.systems(
      distNode.name,
      'two processes',
      'piscina',
      'tinypool',
      'bullmq',
      'erlang'
    )
    for (const { name, inputs } of workloads(bench.quick)) {
      const idealMs = Math.max(sum(inputs) / SLOTS, ...inputs)
      await bench.alternate(systems, async (system) => {
        const value = idealMs / (await system.runAll('spin', inputs))
        bench.record({ workload: name, system: system.name, value, unit: 'of ideal', better: 'more' })
      })
    }
  }
}

function workloads(quick: boolean): Workload[] {
  const skewed = { name: '1 x 1 s beside 199 x 5 ms', inputs: [1_000, ...equal(199, 5)] }
  if (quick) return [{ name: '100 x 5 ms', inputs: equal(100, 5) }, skewed]
  return [
    { name: '400 x 5 ms', inputs: equal(400, 5) },
    { name: '40 x 50 ms', inputs: equal(40, 50) },
    skewed
  ]
}

function equal(count: number, ms: number): number[] {
  return Array.from({ length: count }, () => ms)
}
