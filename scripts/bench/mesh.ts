/** Many nodes: how soon they all know one another, and what they cost when nothing happens. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { childFile, end, Lines, start } from './child.ts'
import type { Bench, Suite } from './suite.ts'

export const suite: Suite = {
  name: 'mesh',
  about: 'many nodes in one process, each connected to every other; nothing but the nodes themselves runs',
  async run(bench: Bench): Promise<void> {
    if (!bench.wants('dist-node')) return
    const nodes = bench.quick ? 10 : 50
    const folder = join(bench.folder, 'many-nodes')
    mkdirSync(folder, { mode: 0o700 })
    const args = [childFile('many-nodes.ts'), String(nodes), folder, bench.quick ? '2' : '10']
    const child = await start(process.execPath, args, { env: { ...process.env, XDG_RUNTIME_DIR: folder } })
    try {
      const lines = new Lines(child.stdout, 'many nodes')
      const [, joinedMs] = await lines.find(/^joined (\S+) ms/, 120_000)
      const [, share] = await lines.find(/^idle (\S+) %/, 60_000)
      const record = (workload: string, value: string, unit: string): void =>
        bench.record({ workload, system: 'dist-node', value: Number(value), unit, better: 'less' })
      record(`${nodes} nodes, all of them joined`, joinedMs!, 'ms')
      record(`${nodes} nodes, idle, each`, share!, '% of a core')
    } finally {
      await end(child)
    }
  }
}
