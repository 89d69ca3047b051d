/**
 * Whether a worker that has been busy for a while becomes slower: some systems' worker processes do on Node 24 (the
 * same loop then takes six times as long, unless V8 is told `--no-maglev`).
 */
import { median } from './statistics.ts'
import type { Bench, Suite } from './suite.ts'
import { distNode } from './systems/dist-node.ts'

/** About a millisecond of arithmetic. */
const STEPS = 1_000_000

export const suite: Suite = {
  name: 'steady',
  about: `the same loop again and again in long-lived workers, Node ${process.versions.node}`,
  async run(bench: Bench): Promise<void> {
    const count = bench.quick ? 400 : 8_000
    const systems = await bench.systems(distNode.name, 'piscina', 'bullmq')
    await bench.alternate(systems, async ({ name: system, runAll }) => {
      const times: number[] = []
      const inputs = Array.from({ length: count }, () => STEPS)
      await runAll('compute', inputs, (ms) => times.push(ms as number))
      const tenth = Math.floor(count / 10)
      const record = (workload: string, value: number, unit: string): void =>
        bench.record({ workload, system, value, unit, better: 'less' })
      const first = median(times.slice(0, tenth))
      const last = median(times.slice(-tenth))
      record('the loop, first tenth of the jobs', first, 'ms')
      record('the loop, last tenth of the jobs', last, 'ms')
      record('last tenth beside the first', last / first, 'x')
    })
  }
}
