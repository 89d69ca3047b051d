import { FIRST_DATA_TYPE } from './limits.ts'
import type { HeldRunMessage } from './held-messages.ts'

/** What a node says about itself, once, as the first message of each side. */
export interface HelloMessage {
  readonly type: 'hello'
  /** Version of dist-node, `major.minor.patch`. */
  readonly version: string
  /** Chosen by its owner, for people. Control characters are gone. */
  readonly name: string
  /** Jobs it runs at once, for everybody together. 0: it only submits. */
  readonly slots: number
  /** The level of its sandbox: `bwrap`, `unshare`, `permission`; `none` where it lends nothing. */
  readonly sandbox: string
  readonly runtime: { readonly node: string; readonly platform: string; readonly arch: string }
  /** It keeps runs for others and sees them through: see held-messages.ts. */
  readonly holds?: true
}

/** Where other nodes of the mesh may be found. Hints from a member: every peer still has to prove the password. */
export interface PeersMessage {
  readonly type: 'peers'
  readonly peers: readonly { readonly id: string; readonly addresses: readonly string[] }[]
}

export interface PingMessage {
  readonly type: 'ping'
  readonly n: number
}

/** Answers the ping of the same number. */
export interface PongMessage {
  readonly type: 'pong'
  readonly n: number
}

/** The sender is about to leave: give it no more work. */
export interface GoodbyeMessage {
  readonly type: 'goodbye'
  readonly reason: string
}

/** From executor to submitter. Counts, not increments: the latest message is the truth. */
export interface CreditMessage {
  readonly type: 'credit'
  /** How many of the receiver's jobs the sender will run at once. */
  readonly slots: number
  /** Of all the sender's slots, how many are running something. */
  readonly busy: number
  readonly total: number
}

/** From submitter to executor. `run` is the submitter's number for the run, unique in this session. */
export interface RunOpenMessage {
  readonly type: 'run-open'
  readonly run: number
  /** 16 random bytes in hexadecimal: the run's name everywhere. */
  readonly id: string
  readonly label: string
  /** A printed function that each worker process calls before its first job, and the blobs it needs. */
  readonly setup?: { readonly body: Uint8Array; readonly blobs: readonly string[] }
}

/** The submitter needs nothing more of this run: stop what still runs, forget its blobs. */
export interface RunCloseMessage {
  readonly type: 'run-close'
  readonly run: number
}

/** A unit's source, or a function that many jobs share. The hash does not travel: the receiver computes it. */
export interface BlobMessage {
  readonly type: 'blob'
  readonly run: number
  /** SHA-256 of `bytes`, lower-case hexadecimal. */
  readonly hash: string
  readonly bytes: Uint8Array
}

/** Jobs to run. The channel may deliver one message as several, each with some of its jobs. */
export interface JobsMessage {
  readonly type: 'jobs'
  readonly run: number
  /** Longest one job may run, in milliseconds. 0: no limit. */
  readonly timeoutMs: number
  /** Blob of the function to call; each body is then its printed array of arguments. Absent: each body is a function. */
  readonly head?: string
  /** Blobs the jobs need. All were sent before. */
  readonly blobs: readonly string[]
  /** Of a run handed to a holder: these jobs must not run a second time. */
  readonly once?: true
  readonly jobs: readonly { readonly job: number; readonly attempt: number; readonly body: Uint8Array }[]
}

export interface ResultsMessage {
  readonly type: 'results'
  readonly run: number
  readonly results: readonly JobResult[]
}

export interface JobResult {
  readonly job: number
  readonly attempt: number
  /** Whether the function returned; otherwise `body` holds what it threw, or with `code` why it did not finish. */
  readonly ok: boolean
  /** Set when the executor failed the job itself: `JOB_TIMEOUT`, `JOB_CRASHED`, ... */
  readonly code?: string
  /** Time inside the function, in microseconds. */
  readonly micros: number
  readonly body: Uint8Array
}

/** Console output of a job. Control characters but newline and tab are gone. */
export interface LogMessage {
  readonly type: 'log'
  readonly run: number
  readonly job: number
  readonly stream: 'stdout' | 'stderr'
  readonly text: string
}

/** From submitter to executor: do not run these jobs, stop them where they run. None listed: all of the run. */
export interface CancelMessage {
  readonly type: 'cancel'
  readonly run: number
  readonly jobs: readonly number[]
}

/** From submitter to executor: give back up to `count` jobs that have not started. */
export interface RecallMessage {
  readonly type: 'recall'
  readonly run: number
  readonly count: number
}

/** Answers a recall: these jobs will not be run here. */
export interface RecalledMessage {
  readonly type: 'recalled'
  readonly run: number
  readonly jobs: readonly { readonly job: number; readonly attempt: number }[]
}

/** Everything peers say to each other. */
export type Message =
  | HelloMessage
  | PeersMessage
  | PingMessage
  | PongMessage
  | GoodbyeMessage
  | CreditMessage
  | RunOpenMessage
  | RunCloseMessage
  | LogMessage
  | CancelMessage
  | RecallMessage
  | RecalledMessage
  | HeldRunMessage
  | BlobMessage
  | JobsMessage
  | ResultsMessage

/** Messages that travel as CBOR maps; the rest have binary layouts. */
export type ControlMessage = Exclude<Message, BlobMessage | JobsMessage | ResultsMessage>

/** On the wire. Append only; never renumber, never reuse. */
export const MESSAGE_TYPES = {
  hello: 0,
  peers: 1,
  ping: 2,
  pong: 3,
  goodbye: 4,
  credit: 5,
  'run-open': 6,
  'run-close': 7,
  log: 8,
  cancel: 9,
  recall: 10,
  recalled: 11,
  hold: 12,
  'hold-end': 13,
  held: 14,
  'find-runs': 15,
  'found-runs': 16,
  follow: 17,
  followed: 18,
  chunk: 19,
  taken: 20,
  blob: FIRST_DATA_TYPE,
  jobs: FIRST_DATA_TYPE + 1,
  results: FIRST_DATA_TYPE + 2
} as const satisfies Record<Message['type'], number>

/** A slice of a message that is too large for one frame; the channel deals with these itself. */
export const PART_TYPE = FIRST_DATA_TYPE + 3
