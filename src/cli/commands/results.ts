import type { Command } from 'commander'
import { addExamples } from '../help.ts'
import { addStateOptions } from '../state-options.ts'
import type { ResultsOptions } from '../actions/results.ts'

const EXAMPLES = {
  'results 3f2a': 'as run printed them; the id from dist-node runs',
  'results 3f2a --ordered --json': 'in input order, for other programs'
}

export function addResults(program: Command): void {
  const command = program
    .command('results')
    .description('the results of a run again, from its journal')
    .argument('<run>', 'id of the run, or how it begins')
    .option('--ordered', 'results in input order')
    .option('--out <file>', 'write results to a file, one JSON object per line, instead of stdout')
  addExamples(
    addStateOptions(command).action(async (run: string, options: ResultsOptions) => {
      const { printAgain } = await import('../actions/results.ts')
      await printAgain(run, options)
    }),
    EXAMPLES
  )
}
