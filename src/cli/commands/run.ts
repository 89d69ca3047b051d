import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { basename } from 'node:path'
import { finished } from 'node:stream/promises'
import { styleText } from 'node:util'
import type { Command } from 'commander'
import { addExamples } from '../help.ts'
import {
  type DistNode,
  type JobResult,
  type JobsFile,
  loadJobsFile,
  MeshError,
  type Run,
  UsageError
} from '../../index.ts'
import { Display } from '../display.ts'
import { EXIT, ExitError } from '../exit.ts'
import { Interrupted, interruptSignal } from '../interrupt.ts'
import {
  addMeshOptions,
  addSandboxOptions,
  createNode,
  duration,
  type MeshOptions,
  type SandboxOptions,
  wholeNumber
} from '../mesh-options.ts'
import { formatDuration, formatNumber, resultLine, valueText, visible } from '../output.ts'

interface RunCommandOptions extends MeshOptions, SandboxOptions {
  ordered?: boolean
  minPeers?: number
  wait: number
  local: boolean
  timeout?: number
  retries?: number
  out?: string
  failFast?: boolean
  quiet?: boolean
  exit: (code: number) => void
}

const EXAMPLES = {
  'run jobs.ts': 'on every core of the mesh and this machine',
  'run jobs.ts -- 1200 out.png': "arguments for the file's default export",
  'run jobs.ts --no-local --min-peers 3': 'start when three others are there',
  'run jobs.ts --timeout 30s --retries 2': 'for jobs that may hang or fail',
  'run jobs.ts --json | jq .value': 'results for other programs'
}

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
    .option('--fail-fast', 'stop at the first job that fails')
    .option('--quiet', 'no progress and no summary')
  addExamples(addSandboxOptions(addMeshOptions(command)).action(runFile), EXAMPLES)
}

async function runFile(file: string, args: string[], options: RunCommandOptions): Promise<void> {
  const { signal, dispose } = interruptSignal(EXIT.interrupted)
  const slots = options.local ? {} : { slots: 0 }
  const { node, password } = await createNode(options, { ...slots, lend: false, start: false })
  try {
    const jobsFile = await loadJobsFile(file, args)
    const refusals = new Set<string>()
    node.on('peer-refused', ({ address, message }) => refusals.add(`${address}: ${message}`))
    const joining = node.start()
    if (!password) {
      if (!options.local || options.minPeers !== undefined) {
        throw new UsageError(
          'no password, so there are no peers to run on: dist-node init makes a mesh, join stores its password'
        )
      }
      console.error('no password: running on this machine alone (dist-node init makes a mesh)')
    }
    if (!options.local || options.minPeers !== undefined) {
      await joining
      await node
        .waitForPeers(options.minPeers ?? 1, { timeoutMs: options.wait, signal })
        .catch(withRefusals(refusals))
    }
    await Promise.all([joining, deliver(node, file, jobsFile, { ...options, signal })])
  } catch (error) {
    if (error instanceof Interrupted) throw new ExitError(EXIT.interrupted, 'interrupted')
    throw error
  } finally {
    await node.stop('done')
    dispose()
  }
}

/** Runs the jobs and hands the results to the file's `collect`, to `--out` or to stdout. */
async function deliver(
  node: DistNode,
  file: string,
  { jobs, options: fromFile, collect }: JobsFile,
  options: RunCommandOptions & { signal: AbortSignal }
): Promise<void> {
  const started = performance.now()
  const run = node.run(jobs, {
    label: basename(file),
    ...fromFile,
    signal: options.signal,
    waitMs: options.wait,
    ...(options.ordered === true ? { ordered: true } : {}),
    ...(options.timeout === undefined ? {} : { timeoutMs: options.timeout }),
    ...(options.retries === undefined ? {} : { retries: options.retries })
  })
  const results = options.failFast === true ? untilFailure(run) : run
  try {
    using display = new Display(node, run, basename(file), displayKind(options, collect))
    forward(node, display)
    if (collect !== undefined) await collect(results)
    else await print(results, options, display)
  } finally {
    if (options.quiet !== true) console.error(summary(run, performance.now() - started))
    if (run.progress.failed > 0) options.exit(EXIT.jobFailed)
  }
}

/** `collect` may print what it likes: nothing may move on the screen meanwhile. */
function displayKind(options: RunCommandOptions, collect: JobsFile['collect']): 'live' | 'lines' | 'nothing' {
  if (options.quiet === true) return 'nothing'
  return process.stderr.isTTY && collect === undefined ? 'live' : 'lines'
}

async function* untilFailure(run: Run<unknown>): AsyncGenerator<JobResult> {
  for await (const result of run) {
    yield result
    if (result.status === 'error') return
  }
}

async function print(
  results: AsyncIterable<JobResult>,
  { json, out }: RunCommandOptions,
  display: Display
): Promise<void> {
  const file = out === undefined ? undefined : createWriteStream(out)
  for await (const result of results) {
    const stream = file ?? process.stdout
    const isRoom =
      file !== undefined
        ? file.write(`${resultLine(result)}\n`)
        : json === true
          ? display.write(process.stdout, resultLine(result))
          : writeText(result, display)
    if (!isRoom) await once(stream, 'drain')
  }
  if (file !== undefined) await finished(file.end())
}

/** What people see of a result; a failure goes to stderr. */
function writeText(result: JobResult, display: Display): boolean {
  const place = visible(`${result.node}, ${formatDuration(result.ms)}`)
  if (result.status === 'ok') {
    const note = styleText('dim', `(${place})`, { stream: process.stdout })
    return display.write(
      process.stdout,
      `${result.index}: ${valueText(result.value, process.stdout.hasColors?.())}  ${note}`
    )
  }
  const head = styleText('red', `job ${result.index} failed`, { stream: process.stderr })
  display.write(process.stderr, `${head} (${place}): ${visible(result.error.stack ?? result.error.message)}`)
  return true
}

function summary({ progress }: Run<unknown>, elapsedMs: number): string {
  const { succeeded, failed, byNode } = progress
  const shares = [...byNode].map(([node, jobs]) => `${visible(node)} ${formatNumber(jobs)}`).join(', ')
  const failures = failed === 0 ? '' : `, ${formatNumber(failed)} failed`
  const who = shares === '' ? '' : ` (${shares})`
  return `${formatNumber(succeeded)} done${failures} in ${formatDuration(elapsedMs)}${who}`
}

/** What jobs print goes to stderr, each line with its job and node. */
function forward(node: DistNode, display: Display): void {
  const say = (text: string): boolean => display.write(process.stderr, visible(text))
  node.on('log', ({ index, node: name, text }) => {
    for (const line of text.replace(/\n$/, '').split('\n')) say(`[${index} ${name}] ${line}`)
  })
  node.on('warning', (message) => say(`warning: ${message}`))
  node.on('peer-left', ({ name }, reason) => say(`${name} left: ${reason}`))
}

/** Too few peers and somebody refused us: that is the likely reason. */
function withRefusals(refusals: ReadonlySet<string>): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof MeshError) || refusals.size === 0) throw error
    throw new MeshError(error.code, `${error.message}; ${[...refusals].join('; ')}`)
  }
}
