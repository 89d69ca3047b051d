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
  /** The process that ran the hello job, pristine still: once, to a caller who asked for it and ends it. */
  readonly takeSpare?: () => WorkerProcess | undefined
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
  /**
   * Keep the process that ran the hello job, for `takeSpare`: the first run then waits for no second start.
   *
   * @default false: it is ended
   */
  readonly keepSpare?: boolean | undefined
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
    if ('unavailable' in attempt) reasons.push(`${name}: ${attempt.unavailable}`)
    else {
      const { command } = attempt
      const worker = WorkerProcess.spawn({ command: () => command })
      const failure = await failureOf(worker)
      if (failure === undefined) {
        const notes = [...reasons, ...notesOn(name, level, host)]
        const spare = await spareOf(worker, options.keepSpare ?? false)
        return { level: name, notes, command: () => command, ...spare }
      }
      await worker.kill()
      reasons.push(`${name}: ${failure}`)
    }
  }
  throw new SandboxError(
    `no sandbox of level "${wanted.join('", "')}" works on this machine, so jobs cannot run here`,
    reasons
  )
}

async function spareOf(worker: WorkerProcess, keep: boolean): Promise<Pick<Sandbox, 'takeSpare'>> {
  if (!keep) {
    await worker.kill()
    return {}
  }
  let spare: WorkerProcess | undefined = worker
  return {
    takeSpare() {
      const taken = spare
      spare = undefined
      return taken
    }
  }
}

function notesOn(level: SandboxLevel, options: LevelOptions, host: Host): string[] {
  const notes: string[] = []
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
  return notes
}

/** Runs a hello job. Gives the reason why it failed, or nothing. */
async function failureOf(worker: WorkerProcess): Promise<string | undefined> {
  try {
    await worker.hello()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
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
  const place = import.meta.filename.endsWith('.ts') ? '../../dist/worker/child.cjs' : '../worker/child.cjs'
  return fileURLToPath(new URL(place, import.meta.url))
}
