import type { Command } from 'commander'
import { addExamples } from '../help.ts'
import { addMeshOptions, addSandboxOptions, duration } from '../mesh-options.ts'
import type { EvalOptions } from '../actions/eval.ts'

const EXAMPLES = {
  'eval process.version': 'an expression, somewhere in the mesh',
  "eval --each 'os.cpus().length'": 'built-in modules need no import',
  "eval --each 'process.memoryUsage.rss()'": 'on every peer',
  "eval '() => 6 * 7'": 'a function'
}

export function addEval(program: Command): void {
  const command = program
    .command('eval')
    .description('run one function somewhere in the mesh, or once on every peer')
    .argument('<code>', "a function, or an expression: 'process.version'")
    .option('--each', 'once on every peer')
    .option(
      '--wait <duration>',
      'with --each: run after this at the latest, also while peers are still being tried',
      duration,
      3_000
    )
  addExamples(
    addSandboxOptions(addMeshOptions(command)).action(async (code: string, options: EvalOptions) => {
      const { evaluate } = await import('../actions/eval.ts')
      await evaluate(code, options)
    }),
    EXAMPLES
  )
}
