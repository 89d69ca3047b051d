/** One run of the command from its first job to its summary. */
import { basename } from 'node:path'
import type { DistNode, JobResult, JobsFile, Run } from '../index.ts'
import type { RunCommandOptions } from './run-options.ts'
import { Display, displayKind } from './display.ts'
import { EXIT } from './exit.ts'
import { log, say } from './log.ts'
import { printResults } from './print-results.ts'
import { resumeCommand, type TypedRun } from './resume.ts'
import { RunReport } from './run-report.ts'
import { isJournaled, startRun, withHint } from './start-run.ts'
import { TraceFile } from './trace/trace-file.ts'

/** Runs the jobs and hands the results to the file's `collect`, to `--out` or to stdout. */
export async function deliver(
  node: DistNode,
  typed: TypedRun,
  jobsFile: JobsFile,
  options: RunCommandOptions & { signal: AbortSignal }
): Promise<void> {
  const startedMs = performance.now()
  const title = basename(typed.file)
  const { collect } = jobsFile
  await using _trace =
    options.trace === undefined ? undefined : await TraceFile.open(options.trace, node, title)
  const run = startRun(node, typed, jobsFile, options)
  const report = new RunReport()
  const results = report.watch(options.failFast === true ? untilFailure(run) : run)
  forward(node)
  let hasEnded = false
  try {
    using display = new Display(node, run, title, displayKind(options))
    if (collect !== undefined) await collect(results)
    else await printResults(results, options, display)
    hasEnded = true
  } catch (error) {
    throw isJournaled(jobsFile, options) && report.jobs > 0 ? withHint(error, typed) : error
  } finally {
    // When nothing came of it, the error says all there is to say.
    if (options.quiet !== true && (hasEnded || report.jobs > 0))
      tellEnd(report, performance.now() - startedMs)
    if (run.progress.failed > 0) options.exit(EXIT.jobFailed)
  }
  const isCutShort = options.failFast === true && run.progress.failed > 0
  if (isCutShort && isJournaled(jobsFile, options)) log.info(`go on with: ${resumeCommand(typed)}`)
}

function tellEnd(report: RunReport, wallMs: number): void {
  const figures = report.figures(wallMs)
  say(report.lines(wallMs), `${figures.done} done, ${figures.failed} failed`, figures)
}

async function* untilFailure(run: Run<unknown>): AsyncGenerator<JobResult> {
  for await (const result of run) {
    yield result
    if (result.status === 'error') return
  }
}

/** What jobs print goes to stderr, each line with its job and node. */
function forward(node: DistNode): void {
  node.on('log', ({ index, node: name, text }) => {
    for (const line of text.replace(/\n$/, '').split('\n'))
      log.info(`[${index} ${name}] ${line}`, { job: index, node: name })
  })
  node.on('warning', (message) => log.warn(message))
  node.on('peer-left', ({ id, name }, reason) =>
    log.info(`${name} left: ${reason}`, { peer: id, node: name })
  )
}
