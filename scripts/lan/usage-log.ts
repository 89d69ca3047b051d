/** What nodes hold over time, to see whether they grow. */
import type { LabNode } from './nodes.ts'
import { usageOf } from './usage.ts'
import type { Usage } from './usage.ts'

/** A process grows while it starts; its first look is taken after that. */
const GROWN_UP_MS = 20_000

const LOOK_EVERY_MS = 5_000

/** One node over its life so far. */
export interface NodeUsage {
  readonly name: string
  readonly ageS: number
  readonly first: Usage
  readonly last: Usage
}

interface Entry {
  readonly startedMs: number
  first?: Usage
  last?: Usage
}

export class UsageLog implements Disposable {
  readonly #nodes: () => Iterable<LabNode>
  readonly #entries = new Map<LabNode, Entry>()
  readonly #timer: NodeJS.Timeout

  /** @param nodes that run at the moment */
  constructor(nodes: () => Iterable<LabNode>) {
    this.#nodes = nodes
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS)
    this.look()
  }

  look(): void {
    const nowMs = performance.now()
    const running = new Set(this.#nodes())
    for (const node of this.#entries.keys()) if (!running.has(node)) this.#entries.delete(node)
    for (const node of running) {
      const entry = this.#entries.get(node) ?? { startedMs: nowMs }
      this.#entries.set(node, entry)
      if (nowMs - entry.startedMs < GROWN_UP_MS) continue
      try {
        entry.last = usageOf(node.process.pid)
        entry.first ??= entry.last
      } catch {
        // Ended between the two.
      }
    }
  }

  /** Of each node that runs and is old enough. */
  report(): NodeUsage[] {
    const nowMs = performance.now()
    return [...this.#entries].flatMap(([node, { startedMs, first, last }]) =>
      first === undefined || last === undefined
        ? []
        : [{ name: node.host.name, ageS: Math.round((nowMs - startedMs) / 1000), first, last }]
    )
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}
