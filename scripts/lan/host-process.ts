/**
 * A process that runs in a host of the laboratory, with its output by lines. What this process started is a launcher
 * (see `Machine.launch`); signals go to its child, which is inside of the host.
 */
import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { once, setMaxListeners } from 'node:events'
import { constants } from 'node:os'
import { createInterface } from 'node:readline'
import { onlyChildOf } from './machine.ts'
import type { Command } from './machine.ts'

export interface ProcessExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface WaitForLineOptions {
  /** Which output to look at. @default 'stdout' */
  readonly stream?: 'stdout' | 'stderr'
  /** @default 10_000 */
  readonly timeoutMs?: number
  /** Index of the first line to look at. @default 0, so a line that came already counts */
  readonly from?: number
}

export class HostProcess implements AsyncDisposable {
  /** The process's number on this computer (inside its host it has another). */
  readonly pid: number
  /** Lines written so far, without line ends. */
  readonly stdout: readonly string[]
  readonly stderr: readonly string[]
  /** Settles when the process has ended and all of its output has been read. */
  readonly exited: Promise<ProcessExit>
  readonly #launcher: ChildProcessWithoutNullStreams
  readonly #label: string
  readonly #news = new EventTarget()

  private constructor(launcher: ChildProcessWithoutNullStreams, pid: number, label: string, output: Output) {
    this.#launcher = launcher
    this.pid = pid
    this.#label = label
    this.stdout = output.stdout
    this.stderr = output.stderr
    this.exited = output.exited
    setMaxListeners(0, this.#news)
    output.onNews = () => this.#news.dispatchEvent(new Event('news'))
  }

  /** @throws Error when the command does not start */
  static async start(command: Command, label: string, env: NodeJS.ProcessEnv): Promise<HostProcess> {
    const launcher = spawn(command.file, command.args, { env, stdio: 'pipe' })
    launcher.stdin.on('error', () => {}) // a process that ended no longer reads
    const output = collect(launcher)
    await once(launcher, 'spawn')
    // A command that ends at once may be gone before it is found; then there is nothing left to signal either.
    const pid = await Promise.race([onlyChildOf(launcher.pid!).catch(() => -1), output.exited.then(() => -1)])
    return new HostProcess(launcher, pid, label, output)
  }

  get stdin(): NodeJS.WritableStream {
    return this.#launcher.stdin
  }

  /** Calls back for every line of both outputs, those that came already too. */
  onLine(listener: (line: string) => void): void {
    const seen = { stdout: 0, stderr: 0 }
    const tell = (): void => {
      for (const stream of ['stdout', 'stderr'] as const) {
        const lines = this[stream]
        while (seen[stream] < lines.length) listener(lines[seen[stream]++]!)
      }
    }
    tell()
    this.#news.addEventListener('news', tell)
  }

  /** @throws Error with the end of the output when the line does not come in time or the process ends without it */
  async waitForLine(
    matches: string | RegExp | ((line: string) => boolean),
    options: WaitForLineOptions = {}
  ): Promise<string> {
    const lines = this[options.stream ?? 'stdout']
    const test = matcher(matches)
    const timeout = AbortSignal.timeout(options.timeoutMs ?? 10_000)
    let next = options.from ?? 0
    let ended = false
    void this.exited.then(() => {
      ended = true
      this.#news.dispatchEvent(new Event('news'))
    })
    for (;;) {
      for (; next < lines.length; next++) if (test(lines[next]!)) return lines[next]!
      if (ended || timeout.aborted)
        throw new Error(`${this.#label}: no line like ${String(matches)}\n${this.#tail()}`)
      await once(this.#news, 'news', { signal: timeout }).catch(() => {})
    }
  }

  /** Sends a signal; nothing happens when the process has ended. */
  signal(name: NodeJS.Signals): void {
    if (this.pid <= 0 || this.#launcher.exitCode !== null || this.#launcher.signalCode !== null) return
    try {
      process.kill(this.pid, name)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }

  /** `kill -9`, and waits for the end. */
  async kill(): Promise<ProcessExit> {
    this.signal('SIGKILL')
    return await this.exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }

  #tail(): string {
    return `${lastOf('stdout', this.stdout)}\n${lastOf('stderr', this.stderr)}`
  }
}

interface Output {
  readonly stdout: string[]
  readonly stderr: string[]
  readonly exited: Promise<ProcessExit>
  onNews: () => void
}

function collect(launcher: ChildProcessWithoutNullStreams): Output {
  const stdout: string[] = []
  const stderr: string[] = []
  const { promise: exited, resolve } = Promise.withResolvers<ProcessExit>()
  const output: Output = { stdout, stderr, exited, onNews: () => {} }
  const read = (from: NodeJS.ReadableStream, to: string[]): Promise<unknown> => {
    const reader = createInterface({ input: from, crlfDelay: Infinity })
    reader.on('line', (line) => {
      to.push(line)
      output.onNews()
    })
    return once(reader, 'close')
  }
  const drained = Promise.all([read(launcher.stdout, stdout), read(launcher.stderr, stderr)])
  launcher.once('error', () => resolve({ code: null, signal: null }))
  launcher.once('close', (code, signal) => void drained.then(() => resolve(exitOf(code, signal))))
  return output
}

function lastOf(name: string, lines: readonly string[]): string {
  return lines.length === 0 ? `${name}: nothing` : `${name}:\n  ${lines.slice(-20).join('\n  ')}`
}

function exitOf(code: number | null, signal: NodeJS.Signals | null): ProcessExit {
  const number = (code ?? 0) - 128
  const [name] = Object.entries(constants.signals).find(([, value]) => value === number) ?? []
  return name === undefined ? { code, signal } : { code: null, signal: name as NodeJS.Signals }
}

function matcher(matches: string | RegExp | ((line: string) => boolean)): (line: string) => boolean {
  if (typeof matches === 'function') return matches
  if (typeof matches === 'string') return (line) => line.includes(matches)
  return (line) => matches.test(line)
}
