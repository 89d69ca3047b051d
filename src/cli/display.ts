/**
 * What people see while a run goes on: on a terminal a few lines that are drawn anew, elsewhere a line now and then.
 * Everything of it goes to stderr.
 */
import type { DistNode, RunProgress } from '../index.ts'
import { LiveLines } from './live-lines.ts'
import { log } from './log.ts'
import { Rates } from './rates.ts'
import { type ExecutorRow, runLine, runScreen, type RunState } from './run-screen.ts'

/** Without a terminal: enough to see that it lives, not enough to fill a log. */
const QUIET_LINE_MS = 10_000

/** The rate of the run as a whole, beside those of nodes, which have names. */
const ALL = ''

export class Display implements Disposable {
  readonly #node: DistNode
  readonly #run: { readonly progress: RunProgress }
  readonly #title: string
  readonly #rates = new Rates()
  readonly #timer: NodeJS.Timeout | undefined
  readonly #live: LiveLines | undefined

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
    // Rates are counted from here.
    this.#state()
    if (show === 'live') this.#live = new LiveLines(() => this.#screen())
    if (show === 'lines') this.#timer = setInterval(() => log.info(runLine(this.#state())), QUIET_LINE_MS)
  }

  /** Writes a line that stays; on a terminal it appears above the moving ones. */
  write(stream: NodeJS.WriteStream, line: string): boolean {
    return stream.write(`${line}\n`)
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#live?.[Symbol.dispose]()
  }

  #screen(): string[] {
    const { columns, rows } = process.stderr
    return runScreen(this.#state(), { columns, rows })
  }

  #state(): RunState {
    const { total, succeeded, failed, byNode } = this.#run.progress
    const nowMs = performance.now()
    this.#rates.note(ALL, succeeded + failed, nowMs)
    const row = (name: string, more: Pick<ExecutorRow, 'slots' | 'busy' | 'rttMs'>): ExecutorRow => {
      const done = byNode.get(name) ?? 0
      this.#rates.note(name, done, nowMs)
      return { name, done, perSecond: this.#rates.perSecond(name), ...more }
    }
    const { name, slots, busy, peers } = this.#node
    const executors = peers.filter((peer) => peer.slots > 0).map((peer) => row(peer.name, peer))
    if (slots > 0 && byNode.has(name)) executors.unshift(row(name, { slots, busy, rttMs: undefined }))
    return {
      title: this.#title,
      done: succeeded,
      failed,
      total,
      perSecond: this.#rates.perSecond(ALL),
      executors
    }
  }
}

/** How a command that follows a run shows it, by its options and by what stderr is. */
export function displayKind({
  quiet,
  logFormat
}: {
  quiet?: boolean
  logFormat?: string
}): 'live' | 'lines' | 'nothing' {
  if (quiet === true) return 'nothing'
  if (logFormat === 'json') return 'nothing'
  // On the terminals of build services nobody watches, and every redrawing stays in the log; dumb ones cannot redraw.
  const { CI, TERM } = process.env
  return process.stderr.isTTY && !CI && TERM !== 'dumb' ? 'live' : 'lines'
}
