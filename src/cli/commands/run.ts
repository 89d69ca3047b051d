import { type Command, Option } from 'commander'
import { addExamples } from '../help.ts'
import { addMeshOptions, addSandboxOptions, duration, wholeNumber } from '../mesh-options.ts'
import type { RunCommandOptions } from '../run-options.ts'

const EXAMPLES = {
  'run jobs.ts': 'on every core of the mesh and this machine',
  'run jobs.ts -- 1200 out.png': "arguments for the file's default export",
  'run jobs.ts --no-local --min-peers 3': 'start when three others are there',
  'run jobs.ts --timeout 30s --retries 2': 'for jobs that may hang or fail',
  'run jobs.ts --detach': 'hand it over, switch off, attach later',
  'run jobs.ts --resume': 'go on where it stopped',
  'run jobs.ts --json | jq .value': 'results for other programs'
}

/** About where jobs run and where results go, which another node decides, or `attach`. */
const NOT_DETACHED: (keyof RunCommandOptions)[] = [
  'ordered', 'minPeers', 'local', 'out', 'trace', 'failFast', 'resume', 'retryFailed', 'journal', 'cache', 'pure'
] // prettier-ignore

export function addRun(program: Command): void {
  const command = program
    .command('run')
    .description('run the jobs of a file on the mesh; results come in completion order')
    .argument('<file>', 'JavaScript or TypeScript file whose default export is an iterable of jobs')
    .argument('[args...]', 'after --: given to a default export that is a function')
    .option('--ordered', 'results in input order')
    .option('--min-peers <n>', 'wait for that many peers before starting, else exit with 3', wholeNumber)
    .option(
      '--wait <duration>',
      'how long to wait for peers, at the start and when all are lost',
      duration,
      10_000
    )
    .option('--no-local', 'run nothing on this machine')
    .option('--timeout <duration>', 'longest a job may run', duration)
    .option('--retries <n>', 'how often a job that threw is tried again', wholeNumber)
    .option('--out <file>', 'write results to a file, one JSON object per line, instead of stdout')
    .option('--trace <file>', 'write a timeline of the run, for https://ui.perfetto.dev')
    .option('--fail-fast', 'stop at the first job that fails')
    .addOption(
      new Option(
        '--detach',
        'hand the run to a node that stays, print its id and return; dist-node attach has the results'
      ).conflicts(NOT_DETACHED)
    )
    .option('--resume [run]', 'go on with a run: by default the newest of this file and arguments')
    .option('--retry-failed', 'with --resume: run failed jobs again too')
    .option('--no-journal', 'write nothing down: the run cannot be gone on with')
    .option('--cache', 'use the results that pure jobs had in earlier runs, and keep those of this one')
    .option('--pure', 'all jobs are pure: the same code and arguments give the same result')
    .option('--quiet', 'no progress and no summary')
  addExamples(
    addSandboxOptions(addMeshOptions(command)).action(
      async (file: string, args: string[], options: RunCommandOptions) => {
        if (options.detach === true) {
          const { detachFile } = await import('../actions/detach.ts')
          return detachFile(file, args, options)
        }
        const { runFile } = await import('../actions/run.ts')
        await runFile(file, args, options)
      }
    ),
    EXAMPLES
  )
}
