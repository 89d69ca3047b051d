import type { Command } from 'commander'
import { addExamples } from '../help.ts'
import { addMeshOptions, duration } from '../mesh-options.ts'
import type { AttachCommandOptions } from '../actions/attach.ts'

const EXAMPLES = {
  attach: 'which runs there are',
  'attach 3f9c': 'results from before, then as they come; Ctrl-C leaves, the run goes on',
  'attach 3f9c --json | jq .value': 'for other programs',
  'attach 3f9c --out results.jsonl --quiet': 'into a file'
}

export function addAttach(program: Command): void {
  const command = program
    .command('attach')
    .description('follow a run that was detached: all its results, live, from any machine of the mesh')
    .argument('[run]', 'id that run --detach printed, or its beginning; none: lists what the mesh holds')
    .option('--ordered', 'results in input order')
    .option(
      '--wait <duration>',
      'how long to look for the node that holds the run: at the start (otherwise 10s), and when it is away (otherwise for ever)',
      duration
    )
    .option('--out <file>', 'write results to a file, one JSON object per line, instead of stdout')
    .option('--quiet', 'no progress and no summary')
  addExamples(
    addMeshOptions(command).action(async (run: string | undefined, options: AttachCommandOptions) => {
      const { attach, listHeld } = await import('../actions/attach.ts')
      await (run === undefined ? listHeld(options) : attach(run, options))
    }),
    EXAMPLES
  )
}
