import { Argument, type Command } from 'commander'
import { addExamples } from '../help.ts'
import { addStateOptions, type StateOptions } from '../state-options.ts'

const EXAMPLES = {
  cache: 'how much is in it, and where it is',
  'cache clear': 'forget everything'
}

export function addCache(program: Command): void {
  const command = program
    .command('cache')
    .description('results of pure jobs, which run --cache uses again')
    .addArgument(new Argument('[clear]', 'forget everything').choices(['clear']))
  addExamples(
    addStateOptions(command).action(async (word: string | undefined, options: StateOptions) => {
      const { emptyCache, showCache } = await import('../actions/cache.ts')
      if (word === undefined) showCache(options)
      else emptyCache(options)
    }),
    EXAMPLES
  )
}
