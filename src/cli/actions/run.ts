import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { basename } from 'node:path'
import { finished } from 'node:stream/promises'
import { styleText } from 'node:util'
import {
  type DistNode,
  type JobResult,
  type JobsFile,
  loadJobsFile,
  MeshError,
  type Run,
  UsageError
} from '../../index.ts'
import type { RunCommandOptions } from '../commands/run.ts'
import { Display } from '../display.ts'
import { EXIT, ExitError } from '../exit.ts'
import { Interrupted, interruptSignal } from '../interrupt.ts'
import { createNode } from '../create-node.ts'
import { formatDuration, formatNumber, resultLine, valueText, visible } from '../output.ts'

export async function runFile(file: string, args: string[], options: RunCommandOptions): Promise<void> {
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
