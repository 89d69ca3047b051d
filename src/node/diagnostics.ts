/**
 * What happens to jobs, for traces and metrics: channels of `node:diagnostics_channel`, which cost next to nothing as
 * long as nobody has subscribed.
 */
import { channel } from 'node:diagnostics_channel'
import type { Link, PeerId } from './link.ts'
import type { Outcome } from './run/task.ts'

/** Which run and which peer a message of a diagnostics channel is about. */
export interface JobTraffic {
  /** Random id of the run, the same at every node. */
  readonly run: string
  /** What its submitter calls it. */
  readonly label: string
  /** libp2p id of the peer at the other end; this node's own, where it runs its own jobs. */
  readonly peer: string
  /** Name of that peer. */
  readonly node: string
}

/** Message of the channel `dist-node:jobs-sent`: a submitter has handed a batch to an executor. */
export interface JobsSent extends JobTraffic {
  /** Job numbers and which attempt it is, from 1. */
  readonly jobs: readonly { readonly job: number; readonly attempt: number }[]
  /** Size of their printed arguments. */
  readonly bytes: number
}

/**
 * Message of the channels `dist-node:results-received` (at the submitter, from an executor) and `dist-node:results-sent`
 * (at an executor, to the submitter).
 */
export interface ResultsPassed extends JobTraffic {
  /** Attempts that have ended. */
  readonly results: readonly JobEnd[]
}

/** How one attempt of a job ended. */
export interface JobEnd {
  /** Number of the job in the input, from 0. */
  readonly job: number
  /** From 1. */
  readonly attempt: number
  /** Whether the function returned. */
  readonly ok: boolean
  /** One of the codes of {@link JobError}, when it was not the function that failed. */
  readonly code: string | undefined
  /** Time inside the function, in milliseconds. */
  readonly ms: number
  /** Size of the printed result. */
  readonly bytes: number
}

const jobsSent = channel('dist-node:jobs-sent')
const resultsReceived = channel('dist-node:results-received')
const resultsSent = channel('dist-node:results-sent')

interface RunName {
  readonly id: string
  readonly label: string
}

export function tellJobsSent(
  run: RunName,
  link: Link,
  jobs: readonly { job: number; attempt: number; body: Uint8Array }[]
): void {
  if (!jobsSent.hasSubscribers) return
  const message: JobsSent = {
    ...traffic(run, link.peer, link.name),
    jobs: jobs.map(({ job, attempt }) => ({ job, attempt })),
    bytes: jobs.reduce((sum, { body }) => sum + body.length, 0)
  }
  jobsSent.publish(message)
}

export function tellResultsReceived(
  run: RunName,
  from: { peer: PeerId; name: string },
  outcomes: readonly Outcome[]
): void {
  if (!resultsReceived.hasSubscribers) return
  const message: ResultsPassed = { ...traffic(run, from.peer, from.name), results: outcomes.map(describeEnd) }
  resultsReceived.publish(message)
}

export function tellResultsSent(run: RunName, to: Link, outcomes: readonly Outcome[]): void {
  if (!resultsSent.hasSubscribers) return
  const message: ResultsPassed = { ...traffic(run, to.peer, to.name), results: outcomes.map(describeEnd) }
  resultsSent.publish(message)
}

function traffic({ id, label }: RunName, peer: PeerId, node: string): JobTraffic {
  return { run: id, label, peer, node }
}

function describeEnd({ job, attempt, ok, code, micros, body }: Outcome): JobEnd {
  return { job, attempt, ok, code, ms: micros / 1_000, bytes: body.length }
}
