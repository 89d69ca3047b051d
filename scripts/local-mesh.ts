/** A mesh of separate processes on this machine, for the demo and for pictures; disposing of it ends and removes all. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { makePassword } from '../src/index.ts'

/** A line of `dist-node start --json`. */
export interface NodeEvent {
  readonly event: string
  readonly name: string
  readonly slots: number
  readonly sandbox: string
  readonly node: string
}

export class LocalMesh implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'dist-node-demo-'))
  readonly #nodes: ChildProcess[] = []

  constructor() {
    writeFileSync(join(this.folder, 'password'), makePassword(), { mode: 0o600 })
    // Nodes on one host meet in a folder: let that one go with the rest.
    process.env['XDG_RUNTIME_DIR'] = this.folder
  }

  /** A mesh of its own, so that it meets no other node of this network. */
  options(name: string): string[] {
    return [
      '--mesh',
      `demo-${process.pid}`,
      '--dir',
      join(this.folder, name),
      '--password-file',
      join(this.folder, 'password')
    ]
  }

  /** Starts a node; resolves when it is ready. */
  async start(
    name: string,
    slots: number,
    onEvent: (event: NodeEvent) => void = () => undefined
  ): Promise<void> {
    const args = ['start', '--name', name, '--slots', String(slots), '--json', ...this.options(name)]
    const node = spawnCommand(args, 'pipe')
    this.#nodes.push(node)
    const ready = Promise.withResolvers<void>()
    createInterface({ input: node.stdout! }).on('line', (line) => {
      const event = JSON.parse(line) as NodeEvent
      onEvent(event)
      if (event.event === 'ready') ready.resolve()
    })
    node.on('close', (code) => ready.reject(new Error(`${name} ended with code ${code}`)))
    await ready.promise
  }

  /** Runs a command of dist-node in front of the user; resolves with its exit code. */
  async run(args: readonly string[]): Promise<number> {
    const [code] = (await once(spawnCommand([...args, ...this.options('run')], 'inherit'), 'close')) as [
      number
    ]
    return code
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#nodes.map((node) => endNode(node)))
    rmSync(this.folder, { recursive: true, force: true })
  }
}

function spawnCommand(args: readonly string[], stdout: 'pipe' | 'inherit'): ChildProcess {
  const command = join(import.meta.dirname, '../bin/dist-node.mjs')
  return spawn(process.execPath, [command, ...args], { stdio: ['ignore', stdout, 'inherit'] })
}

async function endNode(node: ChildProcess): Promise<void> {
  if (node.exitCode !== null || node.signalCode !== null) return
  const closed = once(node, 'close')
  node.kill('SIGTERM')
  await closed
}
