/** From the start of a process to the first result, everything included. */
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { childFile, end, start } from './child.ts'
import type { Bench, Suite } from './suite.ts'

const COMMAND = join(import.meta.dirname, '..', '..', 'bin', 'dist-node.mjs')

export const suite: Suite = {
  name: 'cold-start',
  about: 'one empty job from a cold start on this machine alone, from the start of the process to its output',
  async run(bench: Bench): Promise<void> {
    const subjects = [
      { name: 'node -e 0', args: ['-e', '0'], exits: true },
      { name: 'dist-node', args: [COMMAND, 'run', childFile('one-job.ts')], exits: false },
      { name: 'piscina', args: [childFile('one-job-piscina.ts')], exits: false }
    ].filter(({ name }) => name === 'node -e 0' || bench.wants(name))
    const home = join(bench.folder, 'cold-start')
    mkdirSync(home, { mode: 0o700 })
    const { PATH } = process.env
    // No password here: the command then works on this machine alone, as it does for whoever tries it first.
    const env = { PATH, HOME: home, DIST_NODE_DIR: join(home, 'state'), XDG_RUNTIME_DIR: home }
    const repetitions = bench.quick ? 3 : 3 * bench.repetitions
    await bench.alternate(
      subjects,
      async ({ name, args, exits }) => {
        const started = performance.now()
        const child = await start(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'ignore'] })
        const exited = once(child, 'exit')
        await (exits ? exited : Promise.race([once(child.stdout!, 'data'), exited.then(fail)]))
        const value = performance.now() - started
        await exited
        await end(child)
        bench.record({ workload: 'one empty job', system: name, value, unit: 'ms', better: 'less' })
      },
      repetitions
    )
  }
}

function fail(): never {
  throw new Error('a cold start ended without output')
}
