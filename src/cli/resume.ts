/** Which run `--resume` means, and how one is told to go on with a run. */
import { resolve } from 'node:path'
import type { Journal, RunSummary } from '../index.ts'
import { EXIT, ExitError } from './exit.ts'
import { formatNumber } from './output.ts'
import { localTime, SHORT_ID } from './run-list.ts'

/** What was typed: which file, and what followed `--`. */
export interface TypedRun {
  readonly file: string
  readonly args: readonly string[]
  /** The state folder, where it is not the usual one. */
  readonly dir?: string | undefined
}

/**
 * @param wanted what followed `--resume`: an id or its beginning, or nothing
 * @throws {ExitError} when no run of this file can be gone on with
 */
export function findRun(journal: Journal, wanted: string | true, typed: TypedRun): RunSummary {
  if (wanted !== true) return journal.run(wanted)
  const same = journal.runs().filter((run) => isSame(run, typed))
  const open = same.find(({ state }) => state !== 'finished' && state !== 'running')
  if (open !== undefined) return open
  const [last] = same
  const command = ['dist-node run', ...words(typed)].join(' ')
  const why =
    last === undefined
      ? 'it has not been run with these arguments, or its journal is gone'
      : last.state === 'running'
        ? `run ${short(last)} is under way`
        : `run ${short(last)} of ${localTime(last.started)} is finished; --resume ${short(last)} runs what has changed since`
  throw new ExitError(EXIT.usage, `${typed.file}: no run to go on with: ${why} (${command} runs it anew)`)
}

/** `going on with run 3f2a91c0 of 2026-11-22 20:14: 1,200 of 5,000 done`. */
export function describeResumption(run: RunSummary): string {
  const of = run.total === undefined ? '' : ` of ${formatNumber(run.total)}`
  const done = `${formatNumber(run.succeeded + run.failed)}${of} done`
  return `going on with run ${short(run)} of ${localTime(run.started)}: ${done}`
}

/** What to type to go on. */
export function resumeCommand(typed: TypedRun): string {
  const [file, ...args] = words(typed)
  const dir = typed.dir === undefined ? [] : ['--dir', quoted(typed.dir)]
  return ['dist-node run', file, ...dir, '--resume', ...args].join(' ')
}

function isSame({ file, args }: RunSummary, typed: TypedRun): boolean {
  return file === resolve(typed.file) && args.join('\0') === typed.args.join('\0')
}

function words({ file, args }: TypedRun): string[] {
  return [quoted(file), ...(args.length === 0 ? [] : ['--', ...args.map(quoted)])]
}

/** As a shell takes it for one word. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}

function short({ id }: RunSummary): string {
  return id.slice(0, SHORT_ID)
}
