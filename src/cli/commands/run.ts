import { createWriteStream } from 'node:fs'
import { basename } from 'node:path'
import { finished } from 'node:stream/promises'
import type { Command } from 'commander'
import {
  type DistNode,
  type JobResult,
  type JobsFile,
  loadJobsFile,
  MeshError,
  type Run
} from '../../index.ts'
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
import { resultLine, valueText, visible } from '../output.ts'

interface RunCommandOptions extends MeshOptions, SandboxOptions {
  ordered?: boolean
  minPeers?: number
  wait: number
  local: boolean
  timeout?: number
  retries?: number
  out?: string
  failFast?: boolean
  exit: (code: number) => void
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
  addSandboxOptions(addMeshOptions(command)).action(runFile)
}

async function runFile(file: string, args: string[], options: RunCommandOptions): Promise<void> {
  const { signal, dispose } = interruptSignal(EXIT.interrupted)
  const slots = options.local ? {} : { slots: 0 }
  const { node, password } = await createNode(options, { ...slots, start: false })
  try {
    const jobsFile = await loadJobsFile(file, args)
    forward(node)
    const refusals = new Set<string>()
    node.on('peer-refused', ({ address, message }) => refusals.add(`${address}: ${message}`))
    const joining = node.start()
    if (!password) console.error('no password: running on this machine alone (dist-node init makes a mesh)')
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
    if (collect !== undefined) await collect(results)
    else await print(results, options)
  } finally {
    console.error(summary(run, performance.now() - started))
    if (run.progress.failed > 0) options.exit(EXIT.jobFailed)
  }
}

async function* untilFailure(run: Run<unknown>): AsyncGenerator<JobResult> {
  for await (const result of run) {
    yield result
    if (result.status === 'error') return
  }
}

async function print(results: AsyncIterable<JobResult>, { json, out }: RunCommandOptions): Promise<void> {
  const file = out === undefined ? undefined : createWriteStream(out)
  const stream = file ?? process.stdout
  for await (const result of results) {
    const line = json === true || file !== undefined ? resultLine(result) : textLine(result)
    if (line !== undefined && !stream.write(`${line}\n`)) {
      await new Promise((resolve) => stream.once('drain', resolve))
    }
  }
  if (file !== undefined) await finished(file.end())
}

/** What people see of a result; a failure goes to stderr. */
function textLine(result: JobResult): string | undefined {
  const place = `${result.node} in ${formatMs(result.ms)}`
  if (result.status === 'ok') return `${result.index}: ${valueText(result.value)}  (${visible(place)})`
  console.error(
    visible(`job ${result.index} failed on ${place}: ${result.error.stack ?? result.error.message}`)
  )
  return undefined
}

function formatMs(ms: number): string {
  return ms < 1_000 ? `${ms.toPrecision(3)} ms` : `${(ms / 1_000).toPrecision(3)} s`
}

function summary({ progress }: Run<unknown>, elapsedMs: number): string {
  const { succeeded, failed, byNode } = progress
  const shares = [...byNode].map(([node, jobs]) => `${node} ${jobs}`).join(', ')
  const failures = failed === 0 ? '' : `, ${failed} failed`
  return visible(
    `${succeeded} done${failures} in ${formatMs(elapsedMs)}${shares === '' ? '' : ` (${shares})`}`
  )
}

/** What jobs print goes to stderr, each line with its job and node. */
function forward(node: DistNode): void {
  node.on('log', ({ index, node: name, text }) => {
    for (const line of text.replace(/\n$/, '').split('\n'))
      console.error(visible(`[${index} ${name}] ${line}`))
  })
  node.on('warning', (message) => console.error(visible(`warning: ${message}`)))
  node.on('peer-left', ({ name }, reason) => console.error(visible(`${name} left: ${reason}`)))
}

/** Too few peers and somebody refused us: that is the likely reason. */
function withRefusals(refusals: ReadonlySet<string>): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof MeshError) || refusals.size === 0) throw error
    throw new MeshError(error.code, `${error.message}; ${[...refusals].join('; ')}`)
  }
}
