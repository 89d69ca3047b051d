/** How much memory a submitter needs, at its peak, for jobs that come from a generator. */
import { join } from 'node:path'
import { childFile, end, Lines, start } from './child.ts'
import type { Bench, Suite } from './suite.ts'
import { COMMAND, distNode, makeMesh, type Mesh, startExecutor } from './systems/dist-node.ts'

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
          await measure(bench, distNode.name, count, runCommand(mesh, executor.address, count))
          const details = JSON.stringify({ mesh, peer: executor.address })
          await measure(bench, 'the library', count, [SUBMITTER, distNode.name, String(count), details])
        }
      } finally {
        await end(executor.process)
      }
    }
    // A million promises take piscina two gigabytes: enough is enough.
    if (bench.wants('piscina')) {
      await measure(bench, 'piscina', counts[0]!, [SUBMITTER, 'piscina', String(counts[0])])
    }
    bench.note(
      'dist-node: the command `dist-node run`; the library: a program that uses it, with V8 as it comes'
    )
    bench.note(
      "piscina's figure contains its two threads, dist-node's not its executor's two worker processes"
    )
  }
}

const SUBMITTER = childFile('memory-submitter.ts')

/** `dist-node run` of a file with so many jobs. */
function runCommand(mesh: Mesh, peer: string, count: number): string[] {
  const options = {
    mesh: mesh.name,
    dir: join(mesh.folder, 'submitter'),
    'password-file': join(mesh.folder, 'password'),
    listen: '/ip4/127.0.0.1/tcp/0',
    peer,
    'min-peers': 1
  }
  const args = Object.entries(options).flatMap(([key, value]) => [`--${key}`, String(value)])
  const file = childFile('many-jobs.ts')
  return [COMMAND, 'run', file, '--quiet', '--no-local', '--no-mdns', ...args, '--', String(count)]
}

async function measure(bench: Bench, system: string, count: number, args: string[]): Promise<void> {
  const child = await start(process.execPath, args)
  const lines = new Lines(child.stdout, `${system} with ${count} jobs`)
  const [, peakMb, jobsPerSecond] = await lines.find(/^peak (\S+) MB, (\S+) jobs\/s/, 300_000)
  await end(child)
  const workload = `${count.toLocaleString('en')} empty jobs from a generator`
  bench.record({ workload, system, value: Number(peakMb), unit: 'MB peak', better: 'less' })
  bench.record({ workload, system, value: Number(jobsPerSecond), unit: 'jobs/s', better: 'more' })
}
