/** What a run came to: counted from its results as they pass by, and told in a few lines at its end. */
import { styleText } from 'node:util'
import type { JobResult } from '../index.ts'
import { formatDuration, formatNumber, visible } from './output.ts'
import { wrap } from './wrap.ts'

/** Nodes named one by one; the rest is added up. */
const MAX_NODES = 12

const SLOWEST = 3

interface Share {
  readonly node: string
  jobs: number
  ms: number
}

interface RunFigures {
  readonly done: number
  readonly failed: number
  /** Attempts beyond the first of each job: retries, jobs that moved to an idle node, second copies of slow ones. */
  readonly sentAgain: number
  readonly wallMs: number
  readonly computeMs: number
  readonly nodes: readonly Share[]
  readonly slowest: readonly Place[]
}

type Place = Pick<JobResult, 'index' | 'node' | 'ms'>

export class RunReport {
  readonly #shares = new Map<string, Share>()
  #jobs = 0
  #failed = 0
  #known = 0
  #sentAgain = 0
  #ms = 0
  #slowest: Place[] = []

  get jobs(): number {
    return this.#jobs
  }

  /** Counts results on their way to whoever takes them. */
  async *watch(results: AsyncIterable<JobResult>): AsyncGenerator<JobResult> {
    for await (const result of results) {
      this.add(result)
      yield result
    }
  }

  add({ index, node, ms, attempt, status, from }: JobResult): void {
    this.#jobs++
    if (status === 'error') this.#failed++
    // Nobody had to calculate it this time.
    if (from !== undefined) {
      this.#known++
      return
    }
    this.#sentAgain += attempt - 1
    this.#ms += ms
    const share = this.#shares.get(node) ?? { node, jobs: 0, ms: 0 }
    this.#shares.set(node, share)
    share.jobs++
    share.ms += ms
    const fastest = this.#slowest.at(-1)
    if (this.#slowest.length === SLOWEST && fastest !== undefined && ms <= fastest.ms) return
    this.#slowest = [...this.#slowest, { index, node, ms }].toSorted((a, b) => b.ms - a.ms).slice(0, SLOWEST)
  }

  /** For programs; times in milliseconds. */
  figures(wallMs: number): RunFigures {
    return {
      done: this.#jobs - this.#failed,
      failed: this.#failed,
      sentAgain: this.#sentAgain,
      wallMs,
      computeMs: this.#ms,
      nodes: [...this.#shares.values()],
      slowest: this.#slowest
    }
  }

  /**
   * The end of a run in words, for stderr.
   *
   * @param wallMs from the first job to the last result
   */
  lines(wallMs: number): string[] {
    const failed = this.#failed === 0 ? '' : `, ${style('red', `${formatNumber(this.#failed)} failed`)}`
    const head = `${style('bold', `${formatNumber(this.#jobs - this.#failed)} done`)}${failed} in ${formatDuration(wallMs)}`
    if (this.#known === this.#jobs) return this.#known === 0 ? [head] : [`${head}, all known from before`]
    if (this.#jobs < 2) {
      const [only] = this.#shares.keys()
      return [only === undefined ? head : `${head} on ${visible(only)}`]
    }
    const compute = `${formatDuration(this.#ms)} of computing, speed-up ${(this.#ms / Math.max(wallMs, 0.001)).toFixed(1)}`
    const again = this.#sentAgain === 0 ? '' : `, ${formatNumber(this.#sentAgain)} sent again`
    return [
      head,
      style('dim', `  ${compute}${again}`),
      ...(this.#known === 0 ? [] : [style('dim', `  ${formatNumber(this.#known)} known from before`)]),
      ...this.#shareLines(),
      style('dim', `  slowest: ${wrap(this.#slowest.map(describe).join(', '), 11, terminalColumns())}`)
    ]
  }

  #shareLines(): string[] {
    const shares = [...this.#shares.values()].toSorted((a, b) => b.ms - a.ms || b.jobs - a.jobs)
    const rest = shares.splice(MAX_NODES === shares.length - 1 ? shares.length : MAX_NODES)
    const rows = [
      ...shares.map((share) => ({ ...share, node: visible(share.node) })),
      ...(rest.length === 0
        ? []
        : [
            {
              node: `${rest.length} more`,
              jobs: sum(rest, ({ jobs }) => jobs),
              ms: sum(rest, ({ ms }) => ms)
            }
          ])
    ]
    const cells = rows.map(({ node, jobs, ms }) => [
      node,
      jobs === 1 ? '1 job ' : `${formatNumber(jobs)} jobs`,
      `${((100 * jobs) / (this.#jobs - this.#known)).toFixed(0)} %`,
      formatDuration(ms)
    ])
    const width = (column: number): number => Math.max(...cells.map((row) => row[column]!.length))
    const widths = [0, 1, 2, 3].map(width)
    return cells.map(([node = '', jobs = '', share = '', ms = '']) =>
      [
        `  ${node.padEnd(widths[0]!)}`,
        jobs.padStart(widths[1]!),
        share.padStart(widths[2]!),
        style('dim', ms.padStart(widths[3]!))
      ].join('  ')
    )
  }
}

function terminalColumns(): number | undefined {
  return process.stderr.isTTY ? process.stderr.columns : undefined
}

function describe({ index, node, ms }: Place): string {
  return `job ${index} ${formatDuration(ms)} (${visible(node)})`
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0)
}

function style(format: Parameters<typeof styleText>[0], text: string): string {
  return styleText(format, text, { stream: process.stderr })
}
