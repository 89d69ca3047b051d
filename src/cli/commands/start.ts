import { type Command, InvalidArgumentError } from 'commander'
import { addExamples } from '../help.ts'
import { addMeshOptions, addSandboxOptions, type MeshOptions, type SandboxOptions } from '../mesh-options.ts'

export interface StartOptions extends MeshOptions, SandboxOptions {
  nice?: number
  hold: boolean
}

const EXAMPLES = {
  start: 'lend every core until Ctrl-C',
  'start --slots 2 --nice 10': 'lend two, politely',
  'start --peer /ip4/10.0.0.7/tcp/4001': 'where multicast does not reach',
  'start --listen /ip4/0.0.0.0/tcp/4001': 'a fixed port, for a firewall'
}

export function addStart(program: Command): void {
  const command = program
    .command('start')
    .description('lend this machine to the mesh until Ctrl-C')
    .option('--nice <n>', 'let other programs go first: 0 not at all, 19 always', niceness)
    .option('--no-hold', 'take no runs that others detach')
  addExamples(
    addSandboxOptions(addMeshOptions(command)).action(async (options: StartOptions) => {
      const { start } = await import('../actions/start.ts')
      await start(options)
    }),
    EXAMPLES
  )
}

function niceness(text: string): number {
  if (/^1?\d$/.test(text)) return Number(text)
  throw new InvalidArgumentError(`Expected a whole number from 0 to 19, got '${text}'.`)
}
