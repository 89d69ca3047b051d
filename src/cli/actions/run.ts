import { basename } from 'node:path'
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
import { visible } from '../output.ts'
import { printResults, summary } from '../print-results.ts'

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
    else await printResults(results, options, display)
  } finally {
    if (options.quiet !== true) console.error(summary(run.progress, performance.now() - started))
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
