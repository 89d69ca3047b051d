/**
 * `npm run demo`: a mesh on this machine. Three nodes as separate processes with a fresh password and state folders
 * of their own find one another, and `dist-node run` sends them the jobs of examples/whiten.ts. Nothing is left over.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { makePassword } from '../src/node/password-format.ts'

const NAMES = ['alice', 'bob', 'carol']

process.chdir(join(import.meta.dirname, '..'))
const folder = mkdtempSync(join(tmpdir(), 'dist-node-demo-'))
const passwordFile = join(folder, 'password')
process.env['XDG_RUNTIME_DIR'] = folder // nodes on one host meet in a folder: let that one go with the rest
const nodes: ChildProcess[] = []
let exitCode = 1
process.on('SIGINT', () => undefined) // the children get it too; the `finally` below tidies up
try {
  writeFileSync(passwordFile, makePassword(), { mode: 0o600 })
  say('three nodes, one password, no server:')
  nodes.push(...(await Promise.all(NAMES.map((name) => startNode(name)))))
  say('functions travel to them; results come back as they finish:')
  const args = ['run', 'examples/whiten.ts', '--no-local', '--min-peers', '3', ...common('run')]
  show(`dist-node ${args.slice(0, 5).join(' ')}`)
  const run = spawnCommand(args, 'inherit')
  exitCode = ((await once(run, 'close')) as [number])[0]
} finally {
  await Promise.all(nodes.map((node) => endNode(node)))
  rmSync(folder, { recursive: true, force: true })
}
say(
  exitCode === 0 ? 'all nodes stopped, nothing left behind' : `something went wrong (exit code ${exitCode})`
)
process.exitCode = exitCode

/** Starts a node and waits until it is ready. */
async function startNode(name: string): Promise<ChildProcess> {
  show(`dist-node start --name ${name}`)
  const node = spawnCommand(['start', '--name', name, '--slots', '1', '--json', ...common(name)], 'pipe')
  const lines = createInterface({ input: node.stdout! })
  const ready = Promise.withResolvers<void>()
  lines.on('line', (line) => {
    const event = JSON.parse(line) as {
      event: string
      name: string
      slots: number
      sandbox: string
      node: string
    }
    if (event.event === 'ready') {
      say(`  ${name} is ready: ${event.slots} slot, sandbox ${event.sandbox}`)
      ready.resolve()
    } else if (event.event === 'peer-joined' && NAMES.includes(event.name))
      say(`  ${name} found ${event.name}`)
    else if (event.event === 'run-started') say(`  ${name} works for ${event.node}`)
  })
  node.on('close', (code) => ready.reject(new Error(`${name} ended with code ${code}`)))
  await ready.promise
  return node
}

async function endNode(node: ChildProcess): Promise<void> {
  if (node.exitCode !== null || node.signalCode !== null) return
  const closed = once(node, 'close')
  node.kill('SIGTERM')
  await closed
}

/** A mesh of its own, so that the demo meets no other node of this network. */
function common(name: string): string[] {
  return ['--mesh', `demo-${process.pid}`, '--dir', join(folder, name), '--password-file', passwordFile]
}

function spawnCommand(args: readonly string[], stdout: 'pipe' | 'inherit'): ChildProcess {
  return spawn(process.execPath, ['bin/dist-node.mjs', ...args], { stdio: ['ignore', stdout, 'inherit'] })
}

function show(command: string): void {
  say(`$ ${command}`)
}

function say(text: string): void {
  console.log(text)
}
