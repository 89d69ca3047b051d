import { Argument, type Command } from 'commander'
import { addExamples } from '../help.ts'
import { addStateOptions } from '../state-options.ts'
import type { RunsOptions } from '../actions/runs.ts'

const EXAMPLES = {
  runs: 'the newest first',
  'runs rm 3f2a': 'forget one, by the beginning of its id',
  'runs rm --all': 'forget all that are not under way'
}

export function addRuns(program: Command): void {
  const command = program
    .command('runs')
    .description('runs that have a journal: state, counts, time; rm forgets them and their results')
    .addArgument(new Argument('[rm]', 'forget runs').choices(['rm']))
    .argument('[runs...]', 'which: ids, or how they begin')
    .option('--all', 'with rm: all that are not under way')
  addExamples(
    addStateOptions(command).action(async (word: string | undefined, ids: string[], options: RunsOptions) => {
      const { listRuns, removeRuns } = await import('../actions/runs.ts')
      if (word === undefined) listRuns(options)
      else removeRuns(ids, options)
    }),
    EXAMPLES
  )
}
