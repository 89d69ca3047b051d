/** How runs that the mesh holds are shown. */
import type { HeldRunInfo } from '../index.ts'
import { formatDuration, formatNumber } from './output.ts'
import { SHORT_ID } from './run-list.ts'
import { table } from './table.ts'

const HEAD = ['ID', 'STATE', 'DONE', 'FAILED', 'AGE', 'HELD BY', 'WHAT'] as const

export function heldTable(runs: readonly HeldRunInfo[], colours = false): string {
  return table(HEAD, runs.map(row), colours)
}

function row({
  id,
  state,
  succeeded,
  failed,
  jobs,
  ageSeconds,
  holder,
  label,
  from,
  reason
}: HeldRunInfo): string[] {
  const done = `${formatNumber(succeeded + failed)} of ${formatNumber(jobs)}`
  const what = `${label} of ${from}${reason === '' ? '' : `: ${reason}`}`
  const age = formatDuration(ageSeconds * 1_000)
  return [id.slice(0, SHORT_ID), state, done, formatNumber(failed), age, holder, what]
}
