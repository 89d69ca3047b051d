/** One job at a time: the next is given when the result of the one before has come. */
import { percentile } from './statistics.ts'
import type { Bench, Suite } from './suite.ts'
import { distNode } from './systems/dist-node.ts'
import { startLibp2pStream } from './systems/libp2p-stream.ts'
import { startPipe } from './systems/pipe.ts'
import { echo } from './systems/wire.ts'

/** The first exchanges compile code and open windows: every system gets so many for nothing. */
const WARM_UP = 200

interface Subject {
  readonly name: string
  readonly exchange: (count: number) => Promise<number[]>
}

export const suite: Suite = {
  name: 'latency',
  about: 'one empty job at a time, from submission to result',
  async run(bench: Bench): Promise<void> {
    const count = bench.quick ? 300 : 3_000
    const systems = await bench.systems(distNode.name, 'piscina', 'tinypool', 'bullmq', 'erlang')
    await using libp2p = await startLibp2pStream()
    await using pipe = await startPipe()
    const subjects: Subject[] = [
      ...systems.map((system) => ({
        name: system.name,
        exchange: (n: number) =>
          system.runOneByOne(
            'empty',
            Array.from({ length: n }, () => 0)
          )
      })),
      { name: libp2p.name, exchange: (n) => echo(libp2p, n) },
      { name: pipe.name, exchange: (n) => echo(pipe, n) }
    ]
    await bench.alternate(subjects, async ({ name, exchange }) => {
      const times = (await exchange(count + WARM_UP)).slice(WARM_UP)
      for (const [label, share] of [
        ['p50', 0.5],
        ['p99', 0.99]
      ] as const) {
        const value = percentile(times, share) * 1000
        const workload = `one job at a time, ${label}`
        bench.record({ workload, system: name, value, unit: 'us', better: 'less' })
      }
    })
  }
}
