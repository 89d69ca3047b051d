/** What a node tells its owner. */
import type { HostedRun } from './hosted-run.ts'
import type { Refusal, Unreachable } from './network.ts'
import type { LogLine } from './submitter.ts'

/** What is known of a peer. */
export interface PeerStatus {
  readonly id: string
  readonly name: string
  /** Multiaddr by which this node sees it. */
  readonly address: string
  /** Jobs it runs at once; 0: it only submits. */
  readonly slots: number
  /** Slots that are running something, as it said last. */
  readonly busy: number
  readonly sandbox: string
  readonly version: string
  /** Which password of the mesh connects us: 0, and one more after each `dist-node rotate`. */
  readonly epoch: number
  readonly rttMs: number
}

/** A run of another node that is served here. */
export interface HostedRunStatus {
  readonly run: string
  readonly label: string
  /** Name of the node that submitted it. */
  readonly node: string
}

/** Events of a node: `node.on('peer-joined', ({ name }) => …)`. */
export interface DistNodeEvents {
  'peer-joined': [peer: PeerStatus]
  'peer-left': [peer: PeerStatus, reason: string]
  /** A peer was turned away or turned us away: wrong password, other version. */
  'peer-refused': [refusal: Refusal]
  /** A peer this node has heard of could not be connected to; it will be tried again. */
  'peer-unreachable': [peer: Unreachable]
  'run-started': [run: HostedRunStatus]
  'run-ended': [run: HostedRunStatus]
  /** A line a job of this node's runs printed. */
  log: [line: LogLine]
  warning: [message: string]
}

export function describeRun({ id, label, link }: HostedRun): HostedRunStatus {
  return { run: id, label, node: link.name }
}
