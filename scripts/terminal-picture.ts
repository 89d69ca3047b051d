/** A terminal as a picture: runs a command in tmux, reads the screen with its colours, and draws it as SVG. */
import { execFileSync } from 'node:child_process'
import { stripVTControlCharacters } from 'node:util'

export interface TerminalSize {
  readonly columns: number
  readonly rows: number
}

/** A terminal of its own, in which a shell runs; dispose ends it. */
export class Terminal implements Disposable {
  readonly #name: string
  readonly #size: TerminalSize

  constructor(size: TerminalSize, env: Readonly<Record<string, string>> = {}) {
    this.#name = `dist-node-picture-${process.pid}`
    this.#size = size
    const variables = Object.entries(env).flatMap(([name, value]) => ['-e', `${name}=${value}`])
    const place = ['-x', String(size.columns), '-y', String(size.rows)]
    this.#tmux('new-session', '-d', ...place, ...variables, 'bash --norc --noprofile')
  }

  type(text: string): void {
    this.#tmux('send-keys', '-l', text)
    this.#tmux('send-keys', 'Enter')
  }

  /** The screen, colours as ANSI sequences, without the empty lines at its end. */
  screen(): string {
    return this.#tmux('capture-pane', '-e', '-p').trimEnd()
  }

  /** Waits until the screen shows something, whatever its colours. */
  async until(shows: RegExp, timeoutMs = 60_000): Promise<void> {
    const endMs = performance.now() + timeoutMs
    while (!shows.test(stripVTControlCharacters(this.screen()))) {
      if (performance.now() > endMs) throw new Error(`the terminal never showed ${shows}:\n${this.screen()}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  get columns(): number {
    return this.#size.columns
  }

  [Symbol.dispose](): void {
    this.#tmux('kill-server')
  }

  #tmux(...args: string[]): string {
    return execFileSync('tmux', ['-L', this.#name, ...args], { encoding: 'utf8' })
  }
}

const CELL = { width: 8.4, height: 19 }
const MARGIN = 16
const TITLE_HEIGHT = 32

/** Colours 0 to 15 of a dark terminal that people find readable. */
const PALETTE = [
  '#1d2027', '#ef6b73', '#8ccf7e', '#e5c76b', '#6fa8f5', '#c47fd5', '#6cbfbf', '#dadada',
  '#7a818e', '#f58f95', '#a3dc98', '#eed48a', '#93bffa', '#d5a0e3', '#8fd4d4', '#ffffff'
] // prettier-ignore

/** What tmux writes before text of another colour: ESC [ numbers m. */
const COLOUR_SEQUENCE = new RegExp(`(${String.fromCharCode(27)}\\[[\\d;]*m)`)

interface Style {
  colour: string
  bold: boolean
  dim: boolean
}

/** A screen with ANSI colours as an SVG picture. */
export function drawTerminal(screen: string, columns: number, title: string): string {
  const lines = screen.split('\n')
  const width = columns * CELL.width + 2 * MARGIN
  const height = lines.length * CELL.height + 2 * MARGIN + TITLE_HEIGHT
  const rows = lines.map((line, row) => drawLine(line, TITLE_HEIGHT + MARGIN + (row + 0.75) * CELL.height))
  const dots = ['#ef6b73', '#e5c76b', '#8ccf7e'].map(
    (colour, at) => `<circle cx="${MARGIN + 6 + at * 20}" cy="${TITLE_HEIGHT / 2}" r="6" fill="${colour}"/>`
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">
<rect width="100%" height="100%" rx="8" fill="#14161b"/>
${dots.join('')}
<text x="${width / 2}" y="${TITLE_HEIGHT / 2 + 5}" fill="#7a818e" text-anchor="middle">${escapeXml(title)}</text>
${rows.join('\n')}
</svg>
`
}

/** One line; every run of one style at the column where it starts, so that no font can shift it. */
function drawLine(line: string, y: number): string {
  const spans: string[] = []
  const style: Style = { colour: PALETTE[7] ?? '#dadada', bold: false, dim: false }
  let column = 0
  for (const piece of line.split(COLOUR_SEQUENCE)) {
    const codes = COLOUR_SEQUENCE.exec(piece)?.[1]?.slice(2, -1)
    if (codes !== undefined) applyCodes(style, codes.split(';').map(Number))
    else if (piece !== '') {
      const look = `fill="${style.colour}"${style.bold ? ' font-weight="bold"' : ''}${style.dim ? ' opacity="0.6"' : ''}`
      const length = Array.from(piece).length
      const stretch = `textLength="${(length * CELL.width).toFixed(1)}" lengthAdjust="spacingAndGlyphs"`
      if (piece.trim() !== '') {
        spans.push(
          `<text x="${(MARGIN + column * CELL.width).toFixed(1)}" y="${y}" ${look} ${stretch} xml:space="preserve">${escapeXml(piece)}</text>`
        )
      }
      column += length
    }
  }
  return spans.join('')
}

function applyCodes(style: Style, codes: readonly number[]): void {
  for (const code of codes) {
    if (code === 0) Object.assign(style, { colour: PALETTE[7], bold: false, dim: false })
    else if (code === 1) style.bold = true
    else if (code === 2) style.dim = true
    else if (code === 22) Object.assign(style, { bold: false, dim: false })
    else if (code === 39) style.colour = PALETTE[7] ?? '#dadada'
    else if (code >= 30 && code <= 37) style.colour = PALETTE[code - 30] ?? '#dadada'
    else if (code >= 90 && code <= 97) style.colour = PALETTE[code - 82] ?? '#dadada'
  }
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
