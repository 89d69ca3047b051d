/** How runs are shown. */
import { homedir } from 'node:os'
import { relative } from 'node:path'
import type { RunSummary } from '../index.ts'
import { formatDuration, formatNumber } from './output.ts'
import { table } from './table.ts'

const HEAD = ['ID', 'STATE', 'DONE', 'FAILED', 'TIME', 'STARTED', 'WHAT'] as const

/** As much of an id as people type. */
export const SHORT_ID = 8

export function runTable(runs: readonly RunSummary[], colours = false): string {
  return table(HEAD, runs.map(row), colours)
}

/** `2026-11-22 20:14`. */
export function localTime(date: Date): string {
  const two = (number: number): string => String(number).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`
}

function row(run: RunSummary): string[] {
  const { id, state, succeeded, failed, total, activeMs, started } = run
  if (state === 'damaged') return [id.slice(0, SHORT_ID), state, '', '', '', '', run.damage ?? '']
  const of = total === undefined ? '' : ` of ${formatNumber(total)}`
  const done = `${formatNumber(succeeded + failed)}${of}`
  const time = formatDuration(activeMs)
  return [id.slice(0, SHORT_ID), state, done, formatNumber(failed), time, localTime(started), what(run)]
}

function what({ file, args, label, held }: RunSummary): string {
  const name = file === undefined ? label : shortPath(file)
  return [name, ...args, ...(held ? ['(held for a peer)'] : [])].join(' ')
}

function shortPath(file: string): string {
  const here = relative(process.cwd(), file)
  if (!here.startsWith('..')) return here
  const fromHome = relative(homedir(), file)
  return fromHome.startsWith('..') ? file : `~/${fromHome}`
}
