/** `dist-node run` in a host of a laboratory, its results read as they come. */
import type { Host, SpawnOptions } from './host.ts'
import type { HostProcess, ProcessExit } from './host-process.ts'
import { DIST_NODE } from './nodes.ts'

/** A line of `dist-node run --json`. */
export interface ResultLine {
  readonly index: number
  readonly status: 'ok' | 'error'
  readonly value?: unknown
  readonly error?: { readonly name: string; readonly message: string; readonly code?: string }
  readonly node: string
  readonly peer: string
  readonly attempt: number
  readonly ms: number
}

export class LabRun implements AsyncDisposable {
  readonly process: HostProcess

  constructor(started: HostProcess) {
    this.process = started
  }

  /** Results so far, in the order they came. */
  get results(): ResultLine[] {
    return this.process.stdout.map((line) => JSON.parse(line) as ResultLine)
  }

  /** Waits until there is a result that matches, from index `from` of the results on. */
  async waitForResult(
    matches: (result: ResultLine) => boolean,
    options: { timeoutMs?: number; from?: number } = {}
  ): Promise<ResultLine> {
    const line = await this.process.waitForLine((line) => matches(JSON.parse(line) as ResultLine), options)
    return JSON.parse(line) as ResultLine
  }

  /** @throws Error with the output when the run does not end in time */
  async end(timeoutMs: number): Promise<ProcessExit> {
    const timer = setTimeout(() => void this.process.kill(), timeoutMs)
    const exit = await this.process.exited
    clearTimeout(timer)
    if (exit.signal !== 'SIGKILL') return exit
    const { stdout, stderr } = this.process
    const last = [...stdout.slice(-3), ...stderr.slice(-20)].join('\n  ')
    throw new Error(`the run did not end within ${timeoutMs} ms; ${stdout.length} results\n  ${last}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]()
  }
}

/**
 * Starts `dist-node run --json FILE -- ARGS` in a host.
 *
 * @example
 * await using run = await startRun(lab.host(0), file, ['100'], ['--no-local', '--min-peers', '2'])
 */
export async function startRun(
  host: Host,
  file: string,
  args: readonly string[] = [],
  options: readonly string[] = [],
  spawnOptions: SpawnOptions = {}
): Promise<LabRun> {
  const words = [DIST_NODE, 'run', '--json', ...options, file, '--', ...args]
  return new LabRun(await host.spawn('node', words, spawnOptions))
}

/**
 * What is wrong with results of jobs numbered from 0, of which each shall have exactly one; undefined when nothing is.
 */
export function lostOrDoubled(results: readonly ResultLine[], jobs: number): string | undefined {
  const counts = new Map<number, number>()
  for (const { index } of results) counts.set(index, (counts.get(index) ?? 0) + 1)
  const lost = Array.from({ length: jobs }, (_, index) => index).filter((index) => !counts.has(index))
  const doubled = [...counts].filter(([, count]) => count > 1).map(([index]) => index)
  const unknown = [...counts.keys()].filter((index) => index >= jobs || index < 0)
  const faults = Object.entries({ lost, doubled, unknown }).filter(([, indexes]) => indexes.length > 0)
  if (faults.length === 0) return undefined
  return faults
    .map(([what, indexes]) => `${what}: ${indexes.slice(0, 10).join(', ')} (${indexes.length})`)
    .join('; ')
}
