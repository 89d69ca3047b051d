/** Longest line of prose, whatever the terminal's width. */
const MAX_COLUMNS = 120

/**
 * Breaks text between words, for a terminal, so that each line after the first begins under the first.
 *
 * @param indent columns already used on the first line
 * @param columns the terminal's width; `undefined`: no terminal, nothing is broken
 */
export function wrap(text: string, indent: number, columns: number | undefined): string {
  if (columns === undefined) return text
  const room = Math.max(20, Math.min(columns, MAX_COLUMNS) - indent)
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].join(`\n${' '.repeat(indent)}`)
}
