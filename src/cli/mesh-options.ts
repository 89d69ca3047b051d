/** Options of every command that joins the mesh. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { LOG_LEVELS, type LogLevel } from './log.ts'

export interface MeshOptions {
  passwordFile?: string
  mesh: string
  name?: string
  peer: string[]
  listen: string[]
  mdns: boolean
  dir?: string
  slots?: number
  json?: boolean
  weakPassword?: boolean
  logLevel: LogLevel
  logFormat: 'text' | 'json'
}

export interface SandboxOptions {
  sandbox: 'auto' | 'bwrap' | 'unshare' | 'permission'
  sandboxMin: 'bwrap' | 'unshare' | 'permission'
  allowNet?: boolean
  allowFsRead: string[]
  jobMemory: number
}

export function addMeshOptions(command: Command): Command {
  return command
    .optionsGroup('The mesh:')
    .option('--password-file <file>', "file with the mesh's password (default: the one init or join made)")
    .option('--weak-password', 'accept a password that can be guessed')
    .option('--mesh <name>', 'public name of the mesh', 'default')
    .option(
      '--name <name>',
      'name of this node (default: the host name; of more nodes on one machine with -2, -3 …)'
    )
    .option('--peer <multiaddr>', 'dial this peer too; may be repeated', collectAddresses, [])
    .option(
      '--listen <multiaddr>',
      'listen here; may be repeated (default: every interface, a free port, IPv6 only where one has no IPv4)',
      collectAddresses,
      []
    )
    .option('--no-mdns', 'neither look for peers nor answer them by multicast DNS')
    .option(
      '--dir <folder>',
      "folder for this node's state (default: DIST_NODE_DIR, else the XDG state folder)"
    )
    .option(
      '--slots <n>',
      'jobs to run at once on this machine; 0 lends nothing (default: one per core)',
      wholeNumber
    )
    .optionsGroup('Output:')
    .option('--json', 'print one JSON object per line')
    .addOption(
      new Option('--log-level <level>', 'what is said on stderr').choices(LOG_LEVELS).default('info')
    )
    .addOption(
      new Option('--log-format <format>', 'how it is said there: json is one object per line')
        .choices(['text', 'json'])
        .default('text')
    )
}

export function addSandboxOptions(command: Command): Command {
  return command
    .optionsGroup('Jobs on this machine:')
    .addOption(
      new Option('--sandbox <level>', 'how jobs are locked in; auto takes the strongest that works here')
        .choices(['auto', 'bwrap', 'unshare', 'permission'])
        .default('auto')
    )
    .addOption(
      new Option('--sandbox-min <level>', 'run no jobs in a weaker sandbox than this')
        .choices(['bwrap', 'unshare', 'permission'])
        .default('permission')
    )
    .option('--allow-net', 'let jobs use the network of this machine')
    .option('--allow-fs-read <folder>', 'let jobs read this folder; may be repeated', collect, [])
    .option('--job-memory <MiB>', 'memory a job may use', wholeNumber, 1024)
}

function collect(value: string, before: string[]): string[] {
  return [...before, value]
}

/** As much as can be said without the library, so that a mistake ends the command before anything has begun. */
function collectAddresses(value: string, before: string[]): string[] {
  if (/^\/(ip4|ip6|dns|dns4|dns6)\/[^/\s]+\/tcp\/\d{1,5}(\/p2p\/\w+)?$/.test(value))
    return collect(value, before)
  throw new InvalidArgumentError(`Expected an address such as /ip4/10.0.0.7/tcp/4001, got '${value}'.`)
}

export function wholeNumber(text: string): number {
  const number = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(number)) return number
  throw new InvalidArgumentError(`Expected a whole number, got '${text}'.`)
}

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/** `500ms`, `30s`, `5m`, `2h` in milliseconds. */
export function duration(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? []
  if (number === undefined)
    throw new InvalidArgumentError(`Expected a duration such as 500ms, 30s or 5m, got '${text}'.`)
  return Math.round(Number(number) * UNITS[unit as keyof typeof UNITS])
}
