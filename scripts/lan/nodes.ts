/** dist-node in the hosts of a laboratory, run from this working tree (`npm run build` first). */
import { appendFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Host, SpawnOptions } from './host.ts'
import type { HostProcess } from './host-process.ts'

const ROOT = process.env['LAN_ROOT'] ?? new URL('../..', import.meta.url).pathname

/** The command as users run it: of this working tree, or of the copy in the folder `LAN_ROOT`. */
export const DIST_NODE = join(ROOT, 'bin/dist-node.mjs')

const BUILT = join(ROOT, 'dist/cli/main.js')

/** A node is ready within a second; many at once on a busy computer take longer. */
const READY_TIMEOUT_MS = 60_000

/** Why no node can be started here, or undefined. */
export function missingBuild(): string | undefined {
  return existsSync(BUILT) ? undefined : 'dist-node is not built: run npm run build'
}

/** An event of `dist-node start --json`. */
export interface NodeEvent {
  readonly event: string
  readonly [key: string]: unknown
}

export interface ReadyEvent extends NodeEvent {
  readonly peerId: string
  readonly name: string
  readonly addresses: readonly string[]
  readonly slots: number
}

export class LabNode implements AsyncDisposable {
  readonly host: Host
  readonly process: HostProcess
  readonly ready: ReadyEvent

  constructor(host: Host, started: HostProcess, ready: ReadyEvent) {
    this.host = host
    this.process = started
    this.ready = ready
  }

  get peerId(): string {
    return this.ready.peerId
  }

  /** All events so far, the first one `ready`. */
  get events(): NodeEvent[] {
    return this.process.stdout.map((line) => JSON.parse(line) as NodeEvent)
  }

  /**
   * Waits for an event from index `from` on.
   *
   * @throws Error with the node's output when it does not come in time
   */
  async waitForEvent(
    matches: (event: NodeEvent) => boolean,
    options: { timeoutMs?: number; from?: number } = {}
  ): Promise<NodeEvent> {
    const line = await this.process.waitForLine((line) => matches(JSON.parse(line) as NodeEvent), options)
    return JSON.parse(line) as NodeEvent
  }

  /** Asks the node to stop, as Ctrl-C does, and waits. */
  async stop(): Promise<number | null> {
    this.process.signal('SIGTERM')
    return (await this.process.exited).code
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]()
  }
}

/**
 * Starts `dist-node start --json` in a host and waits until it is ready.
 *
 * @example
 * const node = await startNode(lab.host(0), ['--slots', '1'])
 */
export async function startNode(
  host: Host,
  args: readonly string[] = [],
  options: SpawnOptions = {}
): Promise<LabNode> {
  const missing = missingBuild()
  if (missing !== undefined) throw new Error(missing)
  const started = await host.spawn('node', [DIST_NODE, 'start', '--json', ...args], options)
  const log = join(host.folder, 'node.log')
  started.onLine((line) => appendFileSync(log, `${line}\n`))
  const line = await started.waitForLine('"event":"ready"', { timeoutMs: READY_TIMEOUT_MS })
  return new LabNode(host, started, JSON.parse(line) as ReadyEvent)
}
