/** The lines of the user's file around the place where an error was thrown. */
import { readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { styleText } from 'node:util'
import { visible } from './output.ts'

export interface Place {
  readonly path: string
  /** From 1. */
  readonly line: number
  /** From 1. */
  readonly column: number
}

const LINES_AROUND = 2

/** The stack may come from another machine: nothing but sources of ordinary size is opened for it. */
const SOURCE = /\.[cm]?[jt]sx?$/
const MAX_SOURCE_BYTES = 4 * 1024 * 1024

/** Of a line, where no terminal says how wide it is. */
const MAX_COLUMNS = 120

/** The first place in a stack that is in a source file on this machine, outside of packages. */
export function placeIn(stack: string): Place | undefined {
  for (const [, file = '', line, column] of stack.matchAll(/^\s+at (?:.*\()?([^()\n]+):(\d+):(\d+)\)?$/gm)) {
    const path = toPath(file)
    if (path === undefined || !SOURCE.test(path) || path.includes('/node_modules/')) continue
    return { path, line: Number(line), column: Number(column) }
  }
  return undefined
}

/** `undefined` where the file is not on this machine. */
export function codeFrame({ path, line, column }: Place): string | undefined {
  const source = readSource(path)?.trimEnd().split('\n')
  if (source === undefined || line > source.length) return undefined
  const first = Math.max(1, line - LINES_AROUND)
  const last = Math.min(source.length, line + LINES_AROUND)
  const width = String(last).length
  const style = (format: Parameters<typeof styleText>[0], text: string): string =>
    styleText(format, text, { stream: process.stderr })
  const room = Math.max(20, (process.stderr.isTTY ? process.stderr.columns : MAX_COLUMNS) - width - 9)
  // Of long lines, what is around the place.
  const from = column <= room ? 0 : column - Math.floor(room / 2)
  const frame: string[] = []
  for (let number = first; number <= last; number++) {
    const text = cut(visible(source[number - 1] ?? '').replaceAll('\t', ' '), from, room)
    const gutter = `${String(number).padStart(width)} │ `
    if (number !== line) frame.push(`    ${style('dim', `${gutter}${text}`)}`.trimEnd())
    else {
      const pointer = `${' '.repeat(Math.max(0, column - 1 - from))}${style('red', '^')}`
      frame.push(`  ${style('red', '>')} ${style('dim', gutter)}${text}`)
      frame.push(`    ${' '.repeat(width)} ${style('dim', '│')} ${pointer}`)
    }
  }
  return frame.join('\n')
}

/** So many characters of a line from there on, an ellipsis in the place of the first and after the last. */
function cut(text: string, from: number, room: number): string {
  const start = from > 0 && text.length > 0 ? `…${text.slice(from + 1, from + room)}` : text.slice(0, room)
  return text.length > from + room ? `${start}…` : start
}

function toPath(file: string): string | undefined {
  try {
    return file.startsWith('file:') ? fileURLToPath(file) : file.startsWith('/') ? file : undefined
  } catch {
    return undefined
  }
}

function readSource(path: string): string | undefined {
  try {
    const { size } = statSync(path)
    return statSync(path).isFile() && size <= MAX_SOURCE_BYTES ? readFileSync(path, 'utf8') : undefined
  } catch {
    return undefined
  }
}
