import { basename } from 'node:path'
import { type DistNode, type JobsFile, MeshError, type Run, type RunOptions, UsageError } from '../index.ts'
import type { RunCommandOptions } from './run-options.ts'
import { EXIT, ExitError } from './exit.ts'
import { Interrupted } from './interrupt.ts'
import { log } from './log.ts'
import { describeResumption, findRun, resumeCommand, type TypedRun } from './resume.ts'

/** The run of a file: a new one, or with `--resume` one that goes on. */
export function startRun(
  node: DistNode,
  typed: TypedRun,
  { jobs, options: fromFile }: JobsFile,
  options: RunCommandOptions & { signal: AbortSignal }
): Run<unknown> {
  const { resume, retryFailed, quiet } = options
  const runOptions = mergeOptions(typed, fromFile, options)
  if (resume === undefined) {
    if (retryFailed === true) throw new UsageError('--retry-failed goes with --resume')
    return node.run(jobs, runOptions)
  }
  const run = findRun(node.journal, resume, typed)
  if (quiet !== true) log.info(describeResumption(run), { run: run.id })
  return node.resume(run.id, jobs, { ...runOptions, retryFailed: retryFailed === true })
}

/** Whether somebody who lost this run could go on with it. */
export function isJournaled(
  { options: fromFile }: JobsFile,
  { resume, journal }: RunCommandOptions
): boolean {
  return resume !== undefined || (journal && fromFile.journal !== false)
}

/** The last line of a run that was not finished says how to go on. */
export function withHint(error: unknown, typed: TypedRun): unknown {
  const hint = `go on with: ${resumeCommand(typed)}`
  if (error instanceof Interrupted) return new ExitError(EXIT.interrupted, `interrupted; ${hint}`)
  if (error instanceof MeshError) return new MeshError(error.code, `${error.message}; ${hint}`)
  log.info(hint)
  return error
}

function mergeOptions(
  typed: TypedRun,
  fromFile: RunOptions,
  options: RunCommandOptions & { signal: AbortSignal }
): RunOptions {
  return {
    label: basename(typed.file),
    journal: { file: typed.file, args: typed.args },
    ...fromFile,
    signal: options.signal,
    waitMs: options.wait,
    ...(options.journal ? {} : { journal: false }),
    ...(options.cache === true ? { cache: true } : {}),
    ...(options.pure === true ? { pure: true } : {}),
    ...(options.ordered === true ? { ordered: true } : {}),
    ...(options.timeout === undefined ? {} : { timeoutMs: options.timeout }),
    ...(options.retries === undefined ? {} : { retries: options.retries })
  }
}
