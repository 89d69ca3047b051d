/** How much memory a submitter needs, at its peak, for jobs that come from a generator. */
import { childFile, end, Lines, start } from './child.ts'
import type { Bench, Suite } from './suite.ts'
import { distNode, makeMesh, startExecutor } from './systems/dist-node.ts'

export const suite: Suite = {
  name: 'memory',
  about:
    'peak resident memory of a submitter process of its own, jobs from a generator, results read one by one',
  async run(bench: Bench): Promise<void> {
    const counts = bench.quick ? [10_000, 100_000] : [100_000, 1_000_000]
    if (bench.wants(distNode.name)) {
      const mesh = makeMesh(bench.folder)
      const executor = await startExecutor(mesh, 'executor', 2)
      try {
        for (const count of counts) {
          await measure(bench, distNode.name, count, JSON.stringify({ mesh, peer: executor.address }))
        }
      } finally {
        await end(executor.process)
      }
    }
    // A million promises take piscina two gigabytes: enough is enough.
    if (bench.wants('piscina')) await measure(bench, 'piscina', counts[0]!, '')
    bench.note(
      "piscina's figure contains its two threads, dist-node's not its executor's two worker processes"
    )
  }
}

async function measure(bench: Bench, system: string, count: number, details: string): Promise<void> {
  const child = await start(process.execPath, [
    childFile('memory-submitter.ts'),
    system,
    String(count),
    details
  ])
  const lines = new Lines(child.stdout, `${system} with ${count} jobs`)
  const [, peakMb, jobsPerSecond] = await lines.find(/^peak (\S+) MB, (\S+) jobs\/s/, 300_000)
  await end(child)
  const workload = `${count.toLocaleString('en')} empty jobs from a generator`
  bench.record({ workload, system, value: Number(peakMb), unit: 'MB peak', better: 'less' })
  bench.record({ workload, system, value: Number(jobsPerSecond), unit: 'jobs/s', better: 'more' })
}
