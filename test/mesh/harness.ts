/**
 * Real `dist-node` processes for tests: each mesh has a name, a password and folders of its own, so that any number
 * of tests may run side by side, and disposing of it ends everything.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const COMMAND = join(import.meta.dirname, '../../bin/dist-node.mjs')

let meshes = 0

/** A line that `start --json` printed. */
export interface NodeEvent {
  readonly event: string
  readonly [key: string]: unknown
}

/** A line that `run --json` printed. */
export interface ResultLine {
  readonly index: number
  readonly status: 'ok' | 'error'
  readonly value?: unknown
  readonly error?: { name: string; message: string; stack: string; code?: string }
  readonly peer: string
  readonly node: string
  readonly attempt: number
  readonly ms: number
}

export class TestMesh implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'dist-node-mesh-'))
  readonly name = `test-${process.pid}-${meshes++}`
  readonly #commands: RunningCommand[] = []

  constructor() {
    this.writePassword('password', 'dn1-a password for tests')
  }

  /** Writes a password file; returns its path. */
  writePassword(file: string, password: string): string {
    const path = join(this.folder, file)
    writeFileSync(path, password, { mode: 0o600 })
    return path
  }

  /** Writes a jobs file (or a module for one); returns its path. */
  write(file: string, source: string): string {
    const path = join(this.folder, file)
    writeFileSync(path, source)
    return path
  }

  /** Starts a node and waits until it is ready. */
  async start(name: string, options: StartOptions = {}): Promise<TestNode> {
    const args = ['start', '--json', '--name', name, '--slots', String(options.slots ?? 1)]
    args.push(...(options.args ?? []))
    const node = new TestNode(this.#spawn(args, { name, ...options }))
    await node.event('ready')
    return node
  }

  /** Starts `dist-node run --json` and whatever else is asked for. */
  run(file: string, args: readonly string[] = [], options: CommandOptions = {}): RunningCommand {
    return this.#spawn(['run', file, '--json', ...args], { name: `run-${this.#commands.length}`, ...options })
  }

  /** Starts any command of `dist-node` that joins the mesh. */
  joined(args: readonly string[], options: CommandOptions = {}): RunningCommand {
    return this.#spawn(args, { name: `joined-${this.#commands.length}`, ...options })
  }

  /** Starts any command of `dist-node`, with just the arguments given. */
  command(args: readonly string[], options: CommandOptions = {}): RunningCommand {
    return this.#spawn(args, { name: `command-${this.#commands.length}`, bare: true, ...options })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#commands.map((command) => command.end()))
    rmSync(this.folder, { recursive: true, force: true })
  }

  #spawn(
    args: readonly string[],
    options: CommandOptions & { name: string; bare?: boolean }
  ): RunningCommand {
    const { name, passwordFile = join(this.folder, 'password'), discovery = 'same-host' } = options
    const home = join(this.folder, 'home')
    const runtime = join(this.folder, discovery === 'same-host' ? 'runtime' : `runtime-${name}`)
    for (const folder of [home, runtime]) mkdirSync(folder, { recursive: true, mode: 0o700 })
    const common = [
      '--mesh',
      this.name,
      '--dir',
      join(this.folder, `state-${name}`),
      '--password-file',
      passwordFile
    ]
    const mdns = discovery === 'same-host' ? ['--no-mdns'] : []
    const child = spawn(
      process.execPath,
      [COMMAND, ...args, ...(options.bare === true ? [] : [...common, ...mdns])],
      {
        cwd: this.folder,
        env: { PATH: process.env['PATH'], HOME: home, XDG_RUNTIME_DIR: runtime, ...options.env },
        stdio: ['pipe', 'pipe', 'pipe']
      }
    )
    const command = new RunningCommand(child)
    this.#commands.push(command)
    return command
  }
}

export interface CommandOptions {
  readonly passwordFile?: string
  /** How nodes find each other: through a runtime folder they share, or by multicast alone. @default 'same-host' */
  readonly discovery?: 'same-host' | 'mdns'
  readonly env?: Record<string, string>
}

export interface StartOptions extends CommandOptions {
  readonly slots?: number
  /** More of what is typed. */
  readonly args?: readonly string[]
}

/** A process of `dist-node`. */
export class RunningCommand {
  readonly child: ChildProcess
  readonly lines: string[] = []
  #stderr = ''
  readonly #closed: Promise<number | null>
  readonly #watchers = new Set<() => void>()

  constructor(child: ChildProcess) {
    this.child = child
    createInterface({ input: child.stdout! }).on('line', (line) => {
      this.lines.push(line)
      this.#notify()
    })
    child.stderr!.on('data', (chunk: Buffer) => {
      this.#stderr += chunk.toString()
      this.#notify()
    })
    this.#closed = once(child, 'close').then(([code]) => {
      this.#notify()
      return code as number | null
    })
  }

  get stderr(): string {
    return this.#stderr
  }

  get results(): ResultLine[] {
    return this.lines.map((line) => JSON.parse(line) as ResultLine)
  }

  /** The exit code, once it has ended. */
  exit(): Promise<number | null> {
    return this.#closed
  }

  /** Resolves when `isTrue` is, which is looked at whenever something was printed. */
  async until(isTrue: (command: this) => boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const look = (): void => {
      if (isTrue(this)) resolve()
      else if (this.child.exitCode !== null || this.child.signalCode !== null) {
        reject(
          new Error(
            `ended with ${this.child.exitCode ?? this.child.signalCode} before that; stderr: ${this.#stderr}`
          )
        )
      }
    }
    this.#watchers.add(look)
    look()
    await promise.finally(() => this.#watchers.delete(look))
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }

  /** Ends the process, politely first. */
  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    this.kill('SIGTERM')
    const timer = setTimeout(() => this.kill('SIGKILL'), 15_000)
    await this.#closed
    clearTimeout(timer)
  }

  #notify(): void {
    for (const look of this.#watchers) look()
  }
}

/** A node that `start` runs. */
export class TestNode {
  readonly command: RunningCommand

  constructor(command: RunningCommand) {
    this.command = command
  }

  get events(): NodeEvent[] {
    return this.command.lines.map((line) => JSON.parse(line) as NodeEvent)
  }

  /** The first event of that name that fits, when it has come. */
  async event(name: string, fits: (event: NodeEvent) => boolean = () => true): Promise<NodeEvent> {
    const find = (): NodeEvent | undefined => this.events.find((event) => event.event === name && fits(event))
    await this.command.until(() => find() !== undefined)
    return find()!
  }
}

/** All processes below `pid`, at this moment. */
export function descendants(pid: number): number[] {
  const children = new Map<number, number[]>()
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8')
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
      children.set(parent, [...(children.get(parent) ?? []), Number(entry)])
    } catch {
      // It has ended meanwhile.
    }
  }
  const found: number[] = []
  const walk = (parent: number): void => {
    for (const child of children.get(parent) ?? []) {
      found.push(child)
      walk(child)
    }
  }
  walk(pid)
  return found
}

export function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
