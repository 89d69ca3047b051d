/**
 * A machine made of Linux namespaces: its own network, process numbers, mounts and host name, on the files of this
 * computer. Its first process (`init`) does nothing but wait for the end of its standard input, which is a pipe held
 * by the laboratory. When the laboratory ends, however it ends, the pipe closes, init exits, and the kernel kills
 * every process of the machine and of all machines booted inside it, and with them go their networks: nothing has to
 * be swept up after a crash.
 *
 * Needs root, or else a kernel that lets users make user namespaces; then everything happens in one of those.
 */
import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/** Booting takes some 20 ms; a machine that is not up after this long will never be. */
const BOOT_TIMEOUT_MS = 15_000

export interface Command {
  readonly file: string
  readonly args: string[]
}

export interface MachineOptions {
  /** Host name. */
  readonly name: string
  /** The machine whose end shall end this one as well. Absent: the outermost machine, which owns its user namespace. */
  readonly inside?: Machine
}

/** True when namespaces can be made directly; otherwise they are made inside a user namespace. */
export function isRoot(): boolean {
  return process.getuid?.() === 0
}

/** Runs words in a new machine; the outermost one of an ordinary user needs a user namespace first. */
export function unshare(words: readonly string[], isOutermost: boolean): Command {
  const user = isOutermost && !isRoot() ? ['--user', '--map-root-user'] : []
  const kinds = ['--net', '--uts', '--pid', '--mount']
  return { file: 'unshare', args: [...user, ...kinds, '--fork', '--kill-child', '--mount-proc', ...words] }
}

/** Shell code that gives the machine its first argument as its name: the tool, or the file that only real root may write. */
export const NAME_MACHINE = '{ hostname "$1" || echo "$1" > /proc/sys/kernel/hostname; }'

// Runs in the new machine as process 1. SIGCHLD is ignored so that the kernel buries orphans without being asked;
// `cat` alone, without children of its own, survives `kill -1` inside the machine.
const INIT = `${NAME_MACHINE} && ip link set lo up && echo ready &&
  exec env --ignore-signal=CHLD cat > /dev/null`

// Runs outside of the machine's process numbers, but its children are inside. nsenter's own way of waiting would stop
// when its child is stopped, and a stopped parent keeps a dead machine from going away. The shell's own messages
// ("Killed") are nobody's output.
const LAUNCHER = `cd "$1" && shift && exec 3>&2 2>/dev/null && sh -c 'exec "$@" 2>&3 3>&-' sh "$@"; exit $?`

type NamespaceKind = 'net' | 'uts' | 'pid' | 'mount'
const ALL_KINDS: readonly NamespaceKind[] = ['net', 'uts', 'pid', 'mount']

/** Who is no root outside is none in a host either, though the laboratory itself has to be root of its own namespace. */
function asOurselves(): string[] {
  if (isRoot()) return []
  return ['unshare', '--user', `--map-user=${process.getuid?.()}`, `--map-group=${process.getgid?.()}`, '--']
}

export class Machine implements AsyncDisposable {
  /** Number of the machine's first process, as this process sees it. */
  readonly pid: number
  readonly #launcher: ChildProcess

  private constructor(launcher: ChildProcess, pid: number) {
    this.#launcher = launcher
    this.pid = pid
  }

  /** @throws Error when the kernel or the user's rights do not allow it, with what the system said */
  static async boot(options: MachineOptions): Promise<Machine> {
    const init = unshare(['sh', '-c', INIT, 'sh', options.name], options.inside === undefined)
    const command = options.inside?.enter(init, ['net', 'pid', 'mount']) ?? init
    const launcher = spawn(command.file, command.args, { stdio: 'pipe' })
    let complaint = ''
    launcher.stderr.on('data', (chunk) => (complaint += String(chunk)))
    launcher.stdin.on('error', () => {}) // the machine may be gone before we close its pipe
    try {
      await Promise.race([
        once(launcher.stdout, 'data', { signal: AbortSignal.timeout(BOOT_TIMEOUT_MS) }),
        once(launcher, 'exit').then(([code]) => {
          throw new Error(`machine ${options.name} did not boot: ${complaint.trim() || `exit code ${code}`}`)
        })
      ])
      const unshared = options.inside === undefined ? launcher.pid! : await onlyChildOf(launcher.pid!)
      return new Machine(launcher, await onlyChildOf(unshared))
    } catch (error) {
      launcher.kill('SIGKILL')
      throw error
    }
  }

  /** The command line that runs a command inside this machine, or in some of its namespaces only. */
  enter(command: Command, kinds: readonly NamespaceKind[] = ALL_KINDS): Command {
    return { file: 'nsenter', args: [...this.#target(kinds), '--', command.file, ...command.args] }
  }

  /**
   * The command line that starts a process in this machine as the only child of a launcher outside of it. The launcher
   * waits for it, passes its exit on (128 + number of the signal that ended it), and is not stopped when it is.
   */
  launch(command: Command, folder: string): Command {
    const words = ['sh', '-c', LAUNCHER, 'sh', folder, ...asOurselves(), command.file, ...command.args]
    return { file: 'nsenter', args: ['--no-fork', ...this.#target(ALL_KINDS), '--', ...words] }
  }

  #target(kinds: readonly NamespaceKind[]): string[] {
    const user = isRoot() ? [] : ['--user', '--preserve-credentials']
    return ['--target', String(this.pid), ...user, ...kinds.map((kind) => `--${kind}`)]
  }

  /**
   * Runs `ip` or `tc` on a list of its commands, in this machine's network but among the processes of this computer,
   * so that `netns PID` in them means what it means here.
   *
   * @throws Error with what the tool said
   */
  async configure(tool: 'ip' | 'tc' | 'bridge', lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return
    const { file, args } = this.enter({ file: tool, args: ['-batch', '-'] }, ['net'])
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const child = execFile(file, args, (error, _stdout, stderr) => {
      if (error === null) resolve()
      else
        reject(
          new Error(`${tool}: ${stderr.trim() || error.message}\nin: ${lines.join('; ')}`, { cause: error })
        )
    })
    child.stdin?.on('error', () => {}) // the tool stops reading at its first error and says why on stderr
    child.stdin?.end(`${lines.join('\n')}\n`)
    await promise
  }

  /** Ends the machine at once, with every process in it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#launcher.exitCode !== null || this.#launcher.signalCode !== null) return
    const gone = once(this.#launcher, 'exit')
    try {
      process.kill(this.pid, 'SIGKILL')
    } catch {
      this.#launcher.kill('SIGKILL')
    }
    await gone
  }
}

/**
 * The process that a launcher (`nsenter`, `unshare --fork`) forked, once it has.
 *
 * @throws Error when the launcher ended without one
 */
export async function onlyChildOf(launcher: number): Promise<number> {
  const deadlineMs = performance.now() + BOOT_TIMEOUT_MS
  for (;;) {
    const [child] = childrenOf(launcher)
    if (child !== undefined) return child
    if (performance.now() > deadlineMs) throw new Error(`process ${launcher} started no child`)
    await delay(2)
  }
}

/** @throws Error when there is no such process */
export function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
}
