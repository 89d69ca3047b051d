/** Large arguments and large results, in 2^20 bytes a second. */
import type { Bench, Suite } from './suite.ts'
import { distNode } from './systems/dist-node.ts'
import { startLibp2pStream } from './systems/libp2p-stream.ts'
import { startPipe } from './systems/pipe.ts'
import type { RunningSystem } from './systems/system.ts'
import { fetchBytes, sendBytes, type Wire } from './systems/wire.ts'

const MIB = 2 ** 20

export const suite: Suite = {
  name: 'payload',
  about: 'arguments and results of many bytes; MB = 2^20 bytes',
  async run(bench: Bench): Promise<void> {
    const total = bench.quick ? 16 : 64
    const systems = await bench.systems(distNode.name, 'piscina', 'tinypool', 'bullmq', 'erlang')
    await using libp2p = await startLibp2pStream()
    await using pipe = await startPipe()
    for (const jobs of [total, 1]) {
      const bytes = (total / jobs) * MIB
      const label = `${jobs} x ${bytes / MIB} MiB`
      await direction(bench, `argument ${label}`, [
        ...systems.map(measureSystem('receive', jobs, () => new Uint8Array(bytes).fill(7))),
        ...[libp2p, pipe].map(measureWire((wire) => sendBytes(wire, total * MIB)))
      ])
      await direction(bench, `result ${label}`, [
        ...systems.map(measureSystem('produce', jobs, () => bytes)),
        ...[libp2p, pipe].map(measureWire((wire) => fetchBytes(wire, total * MIB)))
      ])
    }

    async function direction(bench: Bench, workload: string, subjects: Subject[]): Promise<void> {
      await bench.alternate(subjects, async ({ name, measure }) => {
        const value = (total / (await measure())) * 1000
        bench.record({ workload, system: name, value, unit: 'MB/s', better: 'more' })
      })
    }
  }
}

interface Subject {
  readonly name: string
  readonly measure: () => Promise<number>
}

function measureSystem(
  job: 'receive' | 'produce',
  jobs: number,
  input: () => unknown
): (system: RunningSystem) => Subject {
  return (system) => ({
    name: system.name,
    measure: () =>
      system.runAll(
        job,
        Array.from({ length: jobs }, () => input())
      )
  })
}

/** A wire sends all as one: the number of jobs makes no difference to it. */
function measureWire(measure: (wire: Wire) => Promise<number>): (wire: Wire) => Subject {
  return (wire) => ({ name: wire.name, measure: () => measure(wire) })
}
