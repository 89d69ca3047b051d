/** The moving lines of a run: one for all of it and one for each peer, cut to what the terminal has room for. */
import { styleText } from 'node:util'
import { formatDuration, formatNumber, visible } from './output.ts'

export interface RunState {
  readonly title: string
  readonly done: number
  readonly failed: number
  /** Unknown while the input has not been read to its end. */
  readonly total: number | undefined
  readonly perSecond: number
  readonly executors: readonly ExecutorRow[]
}

export interface ExecutorRow {
  readonly name: string
  readonly slots: number
  readonly busy: number
  readonly done: number
  readonly perSecond: number
  /** Milliseconds there and back; `undefined`: this machine. */
  readonly rttMs: number | undefined
}

export interface Room {
  readonly columns: number
  readonly rows: number
}

const MAX_BAR = 40
const MIN_BAR = 8

/** Executors with a line of their own, however tall the terminal is. */
const MAX_EXECUTORS = 20

/** Lines left for results, however small the terminal is. */
const ROWS_FOR_RESULTS = 6

/** Slots drawn one by one. */
const MAX_DOTS = 16

const MAX_NAME = 24

type Format = Parameters<typeof styleText>[0]

/** A piece of a line; its width is that of the text. */
interface Cell {
  readonly text: string
  readonly format?: Format
}

/** @returns lines no longer than the terminal is wide, and few enough for it */
export function runScreen(state: RunState, room: Room): string[] {
  const most = Math.max(1, Math.min(MAX_EXECUTORS, room.rows - ROWS_FOR_RESULTS))
  const all = state.executors
  const folded = all.length > most
  const shown = folded ? all.toSorted((a, b) => b.done - a.done).slice(0, most - 1) : all
  const lines = [overall(state, room.columns), ...rows(shown, room.columns)]
  if (folded) lines.push(fold(all.slice(), shown, room.columns))
  return lines
}

/** The line for a log, without a bar. */
export function runLine(state: RunState): string {
  return draw([{ text: visible(state.title) }, ...counts(state)], Infinity, false)
}

function overall(state: RunState, columns: number): string {
  const title: Cell = {
    text: cut(visible(state.title), Math.max(8, Math.floor(columns / 3))),
    format: 'bold'
  }
  const after = counts(state)
  const used = width([title, ...after])
  const bar = Math.min(MAX_BAR, columns - used - 3)
  const { total } = state
  if (total === undefined || total === 0 || bar < MIN_BAR) return draw([title, ...after], columns)
  const full = Math.round(Math.min(1, (state.done + state.failed) / total) * bar)
  return draw(
    [
      { text: `${title.text} `, format: 'bold' },
      { text: '━'.repeat(full), format: 'cyan' },
      { text: '─'.repeat(bar - full), format: 'dim' },
      ...after
    ],
    columns,
    true,
    3
  )
}

function counts({ done, failed, total, perSecond }: RunState): Cell[] {
  const finished = done + failed
  const cells: Cell[] = [
    { text: `${formatNumber(finished)}${total === undefined ? '' : ` of ${formatNumber(total)}`}` }
  ]
  if (failed > 0) cells.push({ text: `${formatNumber(failed)} failed`, format: 'red' })
  if (perSecond > 0) cells.push({ text: `${formatNumber(perSecond)}/s` })
  if (perSecond > 0 && total !== undefined && finished < total)
    cells.push({ text: `${roundTime((total - finished) / perSecond)} left`, format: 'dim' })
  return cells
}

/** A guess does not deserve a fraction of a second. */
function roundTime(seconds: number): string {
  return seconds < 60 ? `${Math.ceil(seconds)} s` : formatDuration(Math.ceil(seconds) * 1_000)
}

function rows(executors: readonly ExecutorRow[], columns: number): string[] {
  const names = executors.map(({ name }) => cut(visible(name), MAX_NAME))
  const dots = executors.map(({ slots }) => Math.min(slots, MAX_DOTS) + (slots > MAX_DOTS ? 1 : 0))
  const texts = executors.map(({ done, perSecond, rttMs }) => [
    `${formatNumber(done)} done`,
    `${formatNumber(perSecond)}/s`,
    rttMs === undefined ? 'here' : `${rttMs.toFixed(1)} ms away`
  ])
  const widest = (items: readonly string[]): number => Math.max(0, ...items.map((item) => item.length))
  const nameWidth = widest(names)
  const dotWidth = Math.max(0, ...dots)
  const textWidths = [0, 1].map((column) => widest(texts.map((row) => row[column]!)))
  return executors.map(({ slots, busy }, at) => {
    const drawn = Math.min(slots, MAX_DOTS)
    const full = Math.min(slots > MAX_DOTS ? Math.round((busy / slots) * MAX_DOTS) : busy, drawn)
    const more = slots > MAX_DOTS ? '…' : ''
    const [done = '', rate = '', where = ''] = texts[at] ?? []
    return draw(
      [
        { text: `  ${(names[at] ?? '').padEnd(nameWidth)}` },
        { text: `  ${'●'.repeat(full)}`, format: 'green' },
        { text: `${'○'.repeat(drawn - full)}${more}${' '.repeat(dotWidth - (dots[at] ?? 0))}` },
        { text: done.padStart(textWidths[0]!) },
        { text: rate.padStart(textWidths[1]!) },
        { text: where, format: 'dim' }
      ],
      columns,
      true,
      3
    )
  })
}

function fold(all: readonly ExecutorRow[], shown: readonly ExecutorRow[], columns: number): string {
  const rest = all.filter((row) => !shown.includes(row))
  const sum = (of: (row: ExecutorRow) => number): number => rest.reduce((total, row) => total + of(row), 0)
  return draw(
    [
      { text: `  and ${rest.length} more` },
      { text: `${sum(({ busy }) => busy)} of ${sum(({ slots }) => slots)} slots busy` },
      { text: `${formatNumber(sum(({ done }) => done))} done` },
      { text: `${formatNumber(sum(({ perSecond }) => perSecond))}/s`, format: 'dim' }
    ],
    columns
  )
}

/**
 * The cells that fit, two columns apart; what does not is left out from the right.
 *
 * @param joined so many cells at the start stand together without a gap
 */
function draw(cells: readonly Cell[], columns: number, colours = true, joined = 1): string {
  let line = ''
  let used = 0
  for (const [at, { text, format }] of cells.entries()) {
    const gap = at < joined ? '' : '  '
    if (used + gap.length + text.length > columns) {
      if (at === 0) line = cut(text, columns)
      break
    }
    used += gap.length + text.length
    line += `${gap}${format === undefined || !colours ? text : styleText(format, text, { stream: process.stderr })}`
  }
  return line
}

function width(cells: readonly Cell[]): number {
  return cells.reduce((sum, { text }) => sum + text.length + 2, -2)
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, Math.max(0, most - 1))}…`
}
