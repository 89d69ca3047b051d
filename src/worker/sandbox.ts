import { realpathSync } from 'node:fs'
import { sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SandboxError } from './errors.ts'
import { readHost } from './host.ts'
import type { Host } from './host.ts'
import { bwrapCommand } from './level-bwrap.ts'
import { permissionCommand } from './level-permission.ts'
import { unshareCommand } from './level-unshare.ts'
import { SANDBOX_LEVELS } from './level.ts'
import type { Command, LevelCommand, LevelOptions, SandboxLevel } from './level.ts'
import { DEFAULT_JOB_MEMORY_MB, MIN_JOB_MEMORY_MB } from './limits.ts'
import { NODE_GUARDS_NETWORK } from './node-flags.ts'
import { WorkerProcess } from './process.ts'

export type { SandboxLevel } from './level.ts'

/** A proven way to start worker processes on this machine. */
export interface Sandbox {
  readonly level: SandboxLevel
  /** What the owner of this machine should know about it, one sentence each: what is open, what was not possible. */
  readonly notes: readonly string[]
  command(): Command
}

export interface SandboxOptions {
  /** `auto` takes the strongest level that works. */
  readonly sandbox: 'auto' | SandboxLevel
  /** Weakest level that will do. @default 'permission' */
  readonly min?: SandboxLevel | undefined
  /** Jobs may use the network of this machine: the internet, the LAN, services on localhost. @default false */
  readonly allowNet?: boolean | undefined
  /** Folders jobs may read. @default [] */
  readonly allowFsRead?: readonly string[] | undefined
  /** Memory of one job, in MiB. @default 1024 */
  readonly jobMemoryMb?: number | undefined
  /** Folders that hold secrets: `allowFsRead` must not reach into them. */
  readonly secretFolders?: readonly string[] | undefined
  /** The bundled child entry. @default dist/worker/child.cjs of this package */
  readonly childFile?: string | undefined
}

const COMMANDS: Record<SandboxLevel, (host: Host, options: LevelOptions) => LevelCommand> = {
  bwrap: bwrapCommand,
  unshare: unshareCommand,
  permission: permissionCommand
}

/**
 * Finds the strongest sandbox that works here: runs the real command line of each level, strongest first, with a job that
 * computes something, and takes the first that answers. Costs one start of a worker process where the best level works.
 *
 * @throws {SandboxError} when no level from `min` up works; `reasons` says why, level by level
 * @throws {RangeError} on options that make no sense here, such as a readable folder with secrets in it
 */
export async function probeSandbox(options: SandboxOptions): Promise<Sandbox> {
  const host = readHost()
  const level = resolveOptions(options)
  const min = options.min ?? 'permission'
  const strongEnough = SANDBOX_LEVELS.slice(0, SANDBOX_LEVELS.indexOf(min) + 1)
  const wanted =
    options.sandbox === 'auto' ? strongEnough : strongEnough.filter((name) => name === options.sandbox)
  if (wanted.length === 0)
    throw new SandboxError(`sandbox "${options.sandbox}" is weaker than the wanted minimum "${min}"`)
  const reasons: string[] = []
  for (const name of wanted) {
    const attempt = COMMANDS[name](host, level)
    const reason = 'command' in attempt ? await tryCommand(attempt.command) : attempt.unavailable
    if (reason === undefined && 'command' in attempt)
      return makeSandbox(name, attempt.command, level, host, reasons)
    reasons.push(`${name}: ${reason}`)
  }
  throw new SandboxError(
    `no sandbox of level "${wanted.join('", "')}" works on this machine, so jobs cannot run here`,
    reasons
  )
}

function makeSandbox(
  level: SandboxLevel,
  command: Command,
  options: LevelOptions,
  host: Host,
  reasons: readonly string[]
): Sandbox {
  const notes = [...reasons]
  if (level === 'permission') {
    notes.push(
      'level permission: jobs share this machine’s kernel view (processes, network stack); bwrap or unshare is safer'
    )
    if (!NODE_GUARDS_NETWORK && !options.allowNet) {
      notes.push(
        `Node ${process.versions.node} cannot close the network; from Node 25 on it is closed at this level too`
      )
    }
    if (host.find('setpriv') === undefined) {
      notes.push('without setpriv (util-linux) a job in an endless loop outlives a node that was killed')
    }
  }
  if (host.find('prlimit') === undefined)
    notes.push('without prlimit (util-linux) buffers and WebAssembly memory are not limited')
  return { level, notes, command: () => command }
}

/** Runs a hello job. Gives the reason why it failed, or nothing. */
async function tryCommand(command: Command): Promise<string | undefined> {
  const candidate: Sandbox = { level: 'permission', notes: [], command: () => command }
  const worker = WorkerProcess.spawn(candidate)
  try {
    await worker.hello()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    await worker.kill()
  }
}

function resolveOptions(options: SandboxOptions): LevelOptions {
  const jobMemoryMb = options.jobMemoryMb ?? DEFAULT_JOB_MEMORY_MB
  if (!Number.isSafeInteger(jobMemoryMb) || jobMemoryMb < MIN_JOB_MEMORY_MB) {
    throw new RangeError(
      `job memory: expected a whole number of MiB from ${MIN_JOB_MEMORY_MB}, got ${jobMemoryMb}`
    )
  }
  const allowFsRead = (options.allowFsRead ?? []).map((folder) => realpathSync(folder))
  for (const secret of options.secretFolders ?? []) refuseSecrets(allowFsRead, secret)
  const childFile = realpathSync(options.childFile ?? bundledChild())
  return { allowNet: options.allowNet ?? false, allowFsRead, jobMemoryMb, childFile }
}

function refuseSecrets(folders: readonly string[], secret: string): void {
  const real = realpathIfThere(secret)
  for (const folder of folders) {
    if (isInside(real, folder) || isInside(folder, real)) {
      throw new RangeError(`jobs must not read ${folder}: this node’s own secrets are in ${secret}`)
    }
  }
}

function isInside(inner: string, outer: string): boolean {
  return `${inner}${sep}`.startsWith(outer === sep ? sep : `${outer}${sep}`)
}

function realpathIfThere(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

/** The build puts the child beside this file; when the sources run as they are, it is in dist all the same. */
function bundledChild(): string {
  const place = import.meta.filename.endsWith('.ts') ? '../../dist/worker/child.cjs' : './child.cjs'
  return fileURLToPath(new URL(place, import.meta.url))
}
