import { availableParallelism } from 'node:os'
import { MAX_NAME_LENGTH } from '../protocol/limits.ts'
import { UsageError } from './errors.ts'
import {
  expect,
  expectBoolean,
  expectText,
  expectTexts,
  expectWhole,
  isObject,
  MAX_TIMER_MS,
  refuseUnknown,
  withoutUndefined
} from './option-checks.ts'
import { checkJobOptions, type JobOptions } from './run/job.ts'

/** How a node is made. Everything has a default but the password, without which there is no mesh, only this machine. */
export interface NodeOptions {
  /**
   * The secret all nodes of a mesh share. Without one the node works alone, on this machine's cores. While a mesh
   * changes its password: lines `epoch:password`, of which the highest is used and all are accepted.
   */
  password?: string
  /** Public name of the mesh: nodes of different meshes ignore one another. @default 'default' */
  mesh?: string
  /** How this node is called in lists and results. @default the host name; with `-2`, `-3` … behind it while other nodes use its folder */
  name?: string
  /** Jobs to run at once for the mesh; 0 lends nothing. @default one per core */
  slots?: number
  /** Whether runs of this node use its own slots too. @default true */
  local?: boolean
  /** Whether runs of other nodes may use its slots. @default true */
  lend?: boolean
  /**
   * Whether to keep runs that other nodes detach, and see them through: only for a node that stays. They are kept in
   * `dir`, and run in this node's slots too: one that lends none (`lend: false`) needs `slots: 0` or `local: false`.
   *
   * @default false
   */
  hold?: boolean
  /** Multiaddrs of peers to dial, beside those that discovery finds: `/ip4/192.168.1.20/tcp/4001`. @default [] */
  peers?: readonly string[]
  /** Multiaddrs to listen on. @default `/ip4/0.0.0.0/tcp/0`, and `/ip6/::/tcp/0` where an interface has no IPv4 */
  listen?: readonly string[]
  /** Whether to look for peers, and answer them, by multicast DNS. @default true */
  mdns?: boolean
  /** Whether to look for nodes of this user on this host, and be found by them, without any network. @default true */
  sameHost?: boolean
  /** Folder for what the node remembers: its identity, known peers. @default a folder of the user's, see the README */
  dir?: string
  /** How jobs are locked in; `auto` takes the strongest that works here. @default 'auto' */
  sandbox?: 'auto' | 'bwrap' | 'unshare' | 'permission'
  /** Lend nothing rather than run jobs in a weaker sandbox than this. @default 'permission' */
  sandboxMin?: 'bwrap' | 'unshare' | 'permission'
  /** Let jobs use the network. @default false */
  allowNet?: boolean
  /** Folders jobs may read. @default [] */
  allowFsRead?: readonly string[]
  /** Files and folders with secrets that `allowFsRead` must not reach, beside this node's own. @default [] */
  secretPaths?: readonly string[]
  /** Memory a job may use, in MiB. @default 1024 */
  jobMemoryMb?: number
  /**
   * How long jobs of others that run here may go on when this node stops, in milliseconds. What has not ended by then runs
   * again elsewhere.
   *
   * @default 10_000
   */
  drainMs?: number
}

export type ResolvedNodeOptions = Required<Omit<NodeOptions, 'name' | 'password' | 'dir' | 'listen'>> &
  Pick<NodeOptions, 'name' | 'password' | 'dir' | 'listen'>

/** How a run behaves. The job options hold for every job that does not say otherwise. */
export interface RunOptions extends JobOptions {
  /** Results in input order instead of completion order. @default false */
  ordered?: boolean
  /** Ends the run: running jobs are stopped on every peer and iterating throws the signal's reason. */
  signal?: AbortSignal
  /** Runs once in each worker process before its first job of this run. */
  setup?: () => unknown
  /** How long to go on with no executor at all before giving up, in milliseconds. @default 10_000 */
  waitMs?: number
  /** Only these peers (by id) may run the jobs. @default every peer */
  only?: readonly string[]
  /** What executors call the run in their logs. @default 'run' */
  label?: string
  /**
   * Write down what becomes of each job, in the node's folder, so that the run can be gone on with after a crash: see
   * {@link DistNode.resume}. With an object: what `journal.runs()` shall say of the run. @default false
   */
  journal?: boolean | JournalOptions
  /** Take the results of pure jobs from earlier runs, and keep those of this one for later runs. @default false */
  cache?: boolean
}

/** How a run is gone on with. */
export interface ResumeOptions extends RunOptions {
  /** Run jobs again that failed, in place of handing over their errors again. @default false */
  retryFailed?: boolean
}

/** What a journal says of its run. */
export interface JournalOptions {
  /** The file the jobs come from; made absolute. @default none */
  file?: string
  /** The arguments that file got. @default [] */
  args?: readonly string[]
}

export type ResolvedRunOptions = Required<Omit<RunOptions, 'signal' | 'setup' | 'only'>> &
  Pick<RunOptions, 'signal' | 'setup' | 'only'>

const NODE_KEYS: readonly (keyof NodeOptions)[] = [
  'password', 'mesh', 'name', 'slots', 'local', 'lend', 'hold', 'peers', 'listen', 'mdns', 'sameHost', 'dir', 'sandbox', 'sandboxMin', 'allowNet',
  'allowFsRead', 'secretPaths', 'jobMemoryMb', 'drainMs'
] // prettier-ignore

const RUN_KEYS: readonly (keyof RunOptions)[] = [
  'timeoutMs', 'retries', 'idempotent', 'pure', 'ordered', 'signal', 'setup', 'waitMs', 'only', 'label', 'journal',
  'cache'
] // prettier-ignore

/** @throws {UsageError} naming the option, what it takes and what came */
export function resolveNodeOptions(options: NodeOptions = {}): ResolvedNodeOptions {
  refuseUnknown('createDistNode', options, NODE_KEYS)
  const { password, dir, ...rest } = withoutUndefined(options)
  const resolved: ResolvedNodeOptions = {
    mesh: 'default',
    slots: availableParallelism(),
    local: true,
    lend: true,
    hold: false,
    peers: [],
    mdns: true,
    sameHost: true,
    sandbox: 'auto',
    sandboxMin: 'permission',
    allowNet: false,
    allowFsRead: [],
    secretPaths: [],
    jobMemoryMb: 1024,
    drainMs: 10_000,
    ...rest,
    ...(password === undefined ? {} : { password }),
    ...(dir === undefined ? {} : { dir })
  }
  for (const key of ['local', 'lend', 'hold', 'mdns', 'sameHost', 'allowNet'] as const) {
    expectBoolean(key, resolved[key])
  }
  for (const key of ['peers', 'allowFsRead', 'secretPaths'] as const) expectTexts(key, resolved[key])
  if (resolved.listen !== undefined) expectTexts('listen', resolved.listen)
  expectWhole('slots', resolved.slots, 0, 1024)
  expectWhole('jobMemoryMb', resolved.jobMemoryMb, 16, 1024 * 1024)
  expectWhole('drainMs', resolved.drainMs, 0, MAX_TIMER_MS)
  expectText('mesh', resolved.mesh, 64)
  if (resolved.name !== undefined) expectText('name', resolved.name, 64)
  if (password !== undefined && (typeof password !== 'string' || password.trim() === '')) {
    throw new UsageError('password: expected a text that is not empty')
  }
  if (resolved.hold && !resolved.lend && resolved.local && resolved.slots > 0) {
    throw new UsageError(
      'hold: the runs that others hand over would be run in the slots of a node that lends none; set lend, or slots to 0, or local to false'
    )
  }
  return resolved
}

/** @throws {UsageError} naming the option, what it takes and what came */
export function resolveRunOptions(options: RunOptions = {}): ResolvedRunOptions {
  refuseUnknown('run', options, RUN_KEYS)
  const resolved: ResolvedRunOptions = {
    timeoutMs: 0,
    retries: 0,
    idempotent: true,
    pure: false,
    ordered: false,
    waitMs: 10_000,
    label: 'run',
    journal: false,
    cache: false,
    ...withoutUndefined(options)
  }
  checkJobOptions(resolved)
  expectWhole('waitMs', resolved.waitMs, 0, MAX_TIMER_MS)
  for (const key of ['ordered', 'cache'] as const) expectBoolean(key, resolved[key])
  expectText('label', resolved.label, MAX_NAME_LENGTH)
  const { signal, setup, only, journal } = resolved
  expect('signal', signal, 'an AbortSignal', signal === undefined || 'aborted' in Object(signal))
  expect('setup', setup, 'a function', setup === undefined || typeof setup === 'function')
  if (only !== undefined) expectTexts('only', only)
  const about: unknown = journal
  expect('journal', about, 'true, false or an object', typeof about === 'boolean' || isObject(about))
  return resolved
}
