/**
 * What people see while a run goes on: on a terminal a few lines that are drawn anew, elsewhere a line now and then.
 * Everything goes to stderr; lines that must stay are written above.
 */
import { styleText } from 'node:util'
import { createLogUpdate } from 'log-update'
import type { DistNode, RunProgress } from '../index.ts'
import { formatDuration, formatNumber, visible } from './output.ts'

const REDRAW_MS = 100

/** Without a terminal: enough to see that it lives, not enough to fill a log. */
const QUIET_LINE_MS = 10_000

const BAR_WIDTH = 24

export class Display implements Disposable {
  readonly #node: DistNode
  readonly #run: { readonly progress: RunProgress }
  readonly #title: string
  readonly #started = performance.now()
  readonly #draw: ReturnType<typeof createLogUpdate> | undefined
  readonly #timer: NodeJS.Timeout | undefined

  /** @param show `live` on a terminal, `lines` for a log, `nothing` for silence */
  constructor(
    node: DistNode,
    run: { readonly progress: RunProgress },
    title: string,
    show: 'live' | 'lines' | 'nothing'
  ) {
    this.#node = node
    this.#run = run
    this.#title = title
    if (show === 'live') {
      this.#draw = createLogUpdate(process.stderr)
      this.#timer = setInterval(() => this.#draw?.(this.#screen()), REDRAW_MS)
    } else if (show === 'lines') {
      this.#timer = setInterval(() => console.error(this.#overall({ bar: false })), QUIET_LINE_MS)
    }
  }

  /** Writes a line that stays, above the moving ones. */
  write(stream: NodeJS.WriteStream, line: string): boolean {
    this.#draw?.clear()
    const isRoom = stream.write(`${line}\n`)
    this.#draw?.(this.#screen())
    return isRoom
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#draw?.clear()
    this.#draw?.done()
  }

  #screen(): string {
    return [this.#overall({ bar: true }), ...this.#executors()].join('\n')
  }

  #overall(show: { bar: boolean }): string {
    const { total, succeeded, failed } = this.#run.progress
    const done = succeeded + failed
    const seconds = (performance.now() - this.#started) / 1_000
    const rate = done / Math.max(seconds, 0.001)
    const parts = [`${formatNumber(done)}${total === undefined ? '' : ` of ${formatNumber(total)}`}`]
    if (failed > 0) parts.push(styleText('red', `${formatNumber(failed)} failed`))
    if (done > 0) parts.push(`${formatNumber(rate)}/s`)
    if (total !== undefined && done > 0 && done < total)
      parts.push(`${formatDuration(((total - done) / rate) * 1_000)} left`)
    const bar = !show.bar || total === undefined || total === 0 ? '' : ` ${drawBar(done / total)}`
    return `${styleText('bold', visible(this.#title))}${bar}  ${parts.join('  ')}`
  }

  #executors(): string[] {
    const { byNode } = this.#run.progress
    const own = this.#node.slots > 0 && byNode.has(this.#node.name)
    const rows = this.#node.peers
      .filter(({ slots }) => slots > 0)
      .map(({ name, slots, busy, rttMs }) => ({ name, slots, busy, note: `${rttMs.toFixed(1)} ms away` }))
    if (own)
      rows.unshift({
        name: this.#node.name,
        slots: this.#node.slots,
        busy: this.#node.busy,
        note: 'this machine'
      })
    const width = Math.max(0, ...rows.map(({ name }) => name.length))
    return rows.map(({ name, slots, busy, note }) => {
      const done = formatNumber(byNode.get(name) ?? 0)
      const load = `${styleText('green', '●'.repeat(Math.min(busy, slots, 16)))}${'○'.repeat(Math.min(Math.max(0, slots - busy), 16))}`
      return `  ${visible(name).padEnd(width)}  ${load}  ${done} done  ${styleText('dim', note)}`
    })
  }
}

function drawBar(share: number): string {
  const full = Math.round(Math.min(1, share) * BAR_WIDTH)
  return `${styleText('cyan', '━'.repeat(full))}${styleText('dim', '─'.repeat(BAR_WIDTH - full))}`
}
