import type { Command } from 'commander'
import { addExamples } from '../help.ts'
import { addMeshOptions, duration } from '../mesh-options.ts'
import type { CancelCommandOptions } from '../actions/cancel.ts'

const EXAMPLES = {
  'cancel 3f9c': 'stop its jobs wherever they run; results so far stay'
}

export function addCancel(program: Command): void {
  const command = program
    .command('cancel')
    .description('end a run that was detached')
    .argument('<run>', 'id that run --detach printed, or its beginning')
    .option('--wait <duration>', 'how long to look for the node that holds the run', duration, 10_000)
  addExamples(
    addMeshOptions(command).action(async (run: string, options: CancelCommandOptions) => {
      const { cancel } = await import('../actions/cancel.ts')
      await cancel(run, options)
    }),
    EXAMPLES
  )
}
