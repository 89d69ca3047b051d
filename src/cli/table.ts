import { styleText } from 'node:util'
import { visible } from './output.ts'

/** Lines of cells under a head, each column as wide as what is in it; the last may be of any length. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  colours: boolean
): string {
  const shown = rows.map((row) => row.map(visible))
  const widths = head.map((title, column) =>
    Math.max(title.length, ...shown.map((row) => row[column]?.length ?? 0))
  )
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => cell.padEnd(widths[at]!))
      .join('  ')
      .trimEnd()
  return [colours ? styleText('dim', line(head)) : line(head), ...shown.map(line)].join('\n')
}
