/** What a node counts for Prometheus. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { type DistNode, type ResultsPassed, VERSION } from '../../index.ts'
import type { Metric } from './exposition.ts'

export class NodeMetrics implements Disposable {
  readonly #node: DistNode
  readonly #jobs = new Map<string, number>()
  readonly #refused = new Map<string, number>()
  #seconds = 0
  #bytes = 0
  #runs = 0
  #openRuns = 0

  constructor(node: DistNode) {
    this.#node = node
    subscribe('dist-node:results-sent', this.#onResults)
    node.on('run-started', () => {
      this.#runs++
      this.#openRuns++
    })
    node.on('run-ended', () => this.#openRuns--)
    node.on('peer-refused', ({ code }) => add(this.#refused, code))
  }

  [Symbol.dispose](): void {
    unsubscribe('dist-node:results-sent', this.#onResults)
  }

  /** As they are now. */
  read(): Metric[] {
    const { name, mesh, sandbox, slots, busy, paused, peers } = this.#node
    const gauge = (metric: string, help: string, value: number): Metric => ({
      name: `dist_node_${metric}`,
      help,
      type: 'gauge',
      samples: [{ value }]
    })
    const counter = (metric: string, help: string, samples: Metric['samples']): Metric => ({
      name: `dist_node_${metric}_total`,
      help,
      type: 'counter',
      samples
    })
    const byLabel = (label: string, counts: ReadonlyMap<string, number>): Metric['samples'] =>
      Array.from(counts, ([key, value]) => ({ labels: { [label]: key }, value }))
    return [
      {
        name: 'dist_node_info',
        help: 'The node: its version, name, mesh and sandbox.',
        type: 'gauge',
        samples: [{ labels: { version: VERSION, name, mesh, sandbox }, value: 1 }]
      },
      gauge('slots', 'Jobs this node runs at once.', slots),
      gauge('slots_busy', 'Slots that run something now.', busy),
      gauge('paused', '1 while nothing is lent.', paused ? 1 : 0),
      gauge('peers', 'Peers that are connected now.', peers.length),
      gauge(
        'peer_slots',
        'Slots those peers lend.',
        peers.reduce((sum, peer) => sum + peer.slots, 0)
      ),
      gauge('runs_open', 'Runs of submitters that are served now.', this.#openRuns),
      counter('runs', 'Runs of submitters that were served.', [{ value: this.#runs }]),
      counter(
        'jobs',
        'Attempts of jobs that ended here, by outcome: ok, error, or an error code.',
        byLabel('outcome', this.#jobs)
      ),
      counter('job_seconds', 'Time inside functions of jobs.', [{ value: this.#seconds }]),
      counter('result_bytes', 'Printed results that were sent.', [{ value: this.#bytes }]),
      counter('peers_refused', 'Peers that were turned away, by error code.', byLabel('code', this.#refused)),
      {
        name: 'process_cpu_seconds_total',
        help: 'Processor time of the node itself, without its worker processes.',
        type: 'counter',
        samples: [{ value: cpuSeconds() }]
      },
      {
        name: 'process_resident_memory_bytes',
        help: 'Memory of the node itself, without its worker processes.',
        type: 'gauge',
        samples: [{ value: process.memoryUsage.rss() }]
      }
    ]
  }

  readonly #onResults = (message: unknown): void => {
    for (const { ok, code, ms, bytes } of (message as ResultsPassed).results) {
      add(this.#jobs, ok ? 'ok' : (code ?? 'error'))
      this.#seconds += ms / 1_000
      this.#bytes += bytes
    }
  }
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}
