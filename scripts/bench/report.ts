/** Figures as tables for people. */
import type { Goal } from './goals.ts'
import type { Machine } from './machine.ts'
import type { Recorder, Row } from './recorder.ts'
import type { Suite } from './suite.ts'

export function formatMachine(machine: Machine): string {
  const { date, commit, cpu, cores, memoryGb, system, node, v8, loadBefore } = machine
  return [
    `dist-node ${commit}, ${date} UTC, Node ${node} (V8 ${v8})`,
    `${cores} cores (${cpu}), ${memoryGb} GB, ${system}, load before ${loadBefore.toFixed(2)}`,
    ''
  ].join('\n')
}

/** One table: a line for each system, and how many times better or worse dist-node is. */
export function formatSuite({ name, about }: Suite, recorder: Recorder): string {
  const rows = recorder.rows.filter(({ suite }) => suite === name)
  const lines = [[`${name}: ${about}`, 'median', 'min', 'max', '', 'dist-node is']]
  for (const [workload, group] of Map.groupBy(rows, (row) => row.workload)) {
    lines.push([`  ${workload}`])
    for (const row of group) {
      const figures = [row.median, row.min, row.max].map((value) => formatNumber(value))
      lines.push([`    ${row.system}`, ...figures, row.unit, comparison(row, rows)])
    }
  }
  const notes = recorder.notes.filter(({ suite }) => suite === name).map(({ text }) => `  ${text}\n`)
  return `${alignColumns(lines)}\n${notes.join('')}`
}

function comparison(row: Row, rows: readonly Row[]): string {
  if (row.system === 'dist-node') return ''
  const own = rows.find(
    ({ system, workload, unit }) => system === 'dist-node' && workload === row.workload && unit === row.unit
  )
  if (own === undefined || row.median === 0) return ''
  return `${formatNumber(own.median / row.median)} x`
}

export function formatGoals(goals: readonly Goal[]): string {
  if (goals.length === 0) return ''
  const lines = goals.map(({ work, goal, measured }) => [`  ${work}`, goal, measured])
  return `${alignColumns([['goals', 'goal', 'measured'], ...lines], 'left')}\n`
}

export function formatNumber(value: number): string {
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en')
  if (Math.abs(value) >= 100) return value.toFixed(0)
  return String(Number(value.toPrecision(3)))
}

/** The first line is a heading: its first cell may be longer than its column. */
function alignColumns(lines: readonly string[][], numbers: 'left' | 'right' = 'right'): string {
  const widths: number[] = []
  for (const [at, cells] of lines.entries()) {
    for (const [column, cell] of cells.entries()) {
      if (at > 0 || column > 0) widths[column] = Math.max(widths[column] ?? 0, cell.length)
    }
  }
  const rows = lines.map((cells) =>
    cells
      .map((cell, column) =>
        column === 0 || column >= 4 || numbers === 'left'
          ? cell.padEnd(widths[column] ?? 0)
          : cell.padStart(widths[column] ?? 0)
      )
      .join('  ')
      .trimEnd()
  )
  return rows.join('\n')
}
