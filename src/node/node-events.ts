/** What a node tells its owner. */
import type { AddressSource } from './network/dial-target.ts'
import type { HostedRun } from './executor/hosted-run.ts'
import type { Unreachable } from './network/dialler.ts'
import type { Refusal } from './network/session-opener.ts'
import type { LogLine } from './run/submitter.ts'

/** What is known of a peer. */
export interface PeerStatus {
  /** libp2p id, the same after a restart. */
  readonly id: string
  /** How its owner calls it; need not be unique. */
  readonly name: string
  /** Multiaddr by which this node sees it. */
  readonly address: string
  /** Jobs it runs at once; 0: it only submits, or lends nothing at present. */
  readonly slots: number
  /** Slots that are running something, as it said last. */
  readonly busy: number
  /** Level of the sandbox in which it runs jobs: `bwrap`, `unshare` or `permission`; `none`: it runs none. */
  readonly sandbox: string
  /** Of its dist-node. */
  readonly version: string
  /** Which password of the mesh connects us: 0, and one more after each `dist-node rotate`. */
  readonly epoch: number
  /** Round trip to it, in milliseconds, as measured last. */
  readonly rttMs: number
  /**
   * How long it has not answered when asked for a sign of life, in milliseconds; 0 while it answers. After 10 s it is gone.
   * While `peers` is read at least every 2 s, peers are asked twice a second, so that this is true within a second;
   * otherwise only those that have said nothing for 7 s or more. A peer that computes answers all the same.
   */
  readonly silentMs: number
  /** How this node heard of it; empty when it only heard from it, for the peer dialled. */
  readonly sources: readonly AddressSource[]
}

/** A run of another node that is served here. */
export interface HostedRunStatus {
  /** Random id of the run, the same on every executor. */
  readonly run: string
  /** What its submitter calls it: a file name for `dist-node run`. */
  readonly label: string
  /** Name of the node that submitted it. */
  readonly node: string
}

/** Events of a node: `node.on('peer-joined', ({ name }) => …)`. */
export interface DistNodeEvents {
  /** A peer proved the password and is connected. */
  'peer-joined': [peer: PeerStatus]
  /**
   * A peer said goodbye, or its connection broke: at once. Or it has been silent for 10 s; in a mesh of more than 16, where no
   * work was under way with it for ten minutes, for proportionally longer (30 s of 48).
   */
  'peer-left': [peer: PeerStatus, reason: string]
  /** A peer was turned away or turned us away: wrong password, other version. */
  'peer-refused': [refusal: Refusal]
  /** A peer this node has heard of could not be connected to; it will be tried again. */
  'peer-unreachable': [peer: Unreachable]
  /** A run, of this node or another, has sent jobs to this node for the first time. */
  'run-started': [run: HostedRunStatus]
  /** That run is over, or its submitter gone. */
  'run-ended': [run: HostedRunStatus]
  /** A line a job of this node's runs printed. */
  log: [line: LogLine]
  /** This node keeps a run that another detached (`node` is its name) and sees it through: a new one, or one from before. */
  'run-held': [run: HostedRunStatus & { readonly jobs: number }]
  /** The node that holds a run which is followed here is gone; it is waited for. */
  'holder-lost': [run: { readonly run: string; readonly node: string }]
  /** It is back, or another node goes on with the run; following goes on. */
  'holder-found': [run: { readonly run: string; readonly node: string }]
  /** Something the owner of this node should know. */
  warning: [message: string]
}

export function describeRun({ id, label, link }: HostedRun): HostedRunStatus {
  return { run: id, label, node: link.name }
}
