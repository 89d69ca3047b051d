/**
 * dist-node as it is used: a node that submits and lends nothing, in this process, and executors in processes of
 * their own, over real encrypted connections of the loopback interface.
 */
import { createDistNode, type DistNode, makePassword } from 'dist-node'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { end, Lines, start } from '../child.ts'
import { type JobName, JOBS } from '../jobs.ts'
import type { RunningSystem, System } from './system.ts'

export const COMMAND = join(import.meta.dirname, '..', '..', '..', 'bin', 'dist-node.mjs')

export const distNode: System = {
  name: 'dist-node',
  start: (folder) => startDistNode(folder, { executors: 1, slots: 2 })
}

export interface RunningDistNode extends RunningSystem {
  readonly node: DistNode
  readonly executors: readonly Executor[]
}

export interface Executor {
  readonly process: ChildProcess
  readonly peerId: string
  readonly sandbox: string
  readonly address: string
}

/** A mesh of its own: nothing of it meets other nodes of this machine or network. */
export interface Mesh {
  readonly name: string
  readonly folder: string
  readonly password: string
}

export function makeMesh(folder: string): Mesh {
  const own = mkdtempSync(join(folder, 'mesh-'))
  const password = makePassword()
  writeFileSync(join(own, 'password'), password, { mode: 0o600 })
  return { name: `bench-${process.pid}-${own.slice(-6)}`, folder: own, password }
}

export async function startDistNode(
  folder: string,
  { executors: count, slots }: { executors: number; slots: number }
): Promise<RunningDistNode> {
  const mesh = makeMesh(folder)
  const executors = await Promise.all(
    Array.from({ length: count }, (_, at) => startExecutor(mesh, `executor-${at + 1}`, slots))
  )
  const node = await joinMesh(
    mesh,
    executors.map(({ address }) => address)
  )
  return {
    name: 'dist-node',
    details: `dist-node, ${count} executor${count === 1 ? '' : 's'} with ${slots} slots, sandbox ${executors[0]!.sandbox}`,
    node,
    executors,
    async runAll(job, inputs, onValue): Promise<number> {
      const started = performance.now()
      for await (const result of node.map(jobFunction(job), inputs)) {
        if (result.status === 'error') throw result.error
        onValue?.(result.value)
      }
      return performance.now() - started
    },
    runOneByOne: (job, inputs) => runOneByOne(node, job, inputs),
    async [Symbol.asyncDispose](): Promise<void> {
      await node.stop()
      await Promise.all(executors.map((executor) => end(executor.process)))
    }
  }
}

function jobFunction(job: JobName): (input: unknown) => unknown {
  return JOBS[job] as (input: unknown) => unknown
}

/** The submitter: a node without slots, connected to all executors. */
export async function joinMesh(mesh: Mesh, peers: readonly string[]): Promise<DistNode> {
  const node = await createDistNode({
    password: mesh.password,
    mesh: mesh.name,
    dir: join(mesh.folder, 'submitter'),
    slots: 0,
    mdns: false,
    listen: ['/ip4/127.0.0.1/tcp/0'],
    peers
  })
  await node.waitForPeers(peers.length)
  return node
}

export async function startExecutor(
  mesh: Mesh,
  name: string,
  slots: number,
  nodeFlags: string[] = []
): Promise<Executor> {
  const options = {
    name,
    slots,
    mesh: mesh.name,
    dir: join(mesh.folder, name),
    'password-file': join(mesh.folder, 'password'),
    listen: '/ip4/127.0.0.1/tcp/0'
  }
  const args = Object.entries(options).flatMap(([key, value]) => [`--${key}`, String(value)])
  const child = await start(process.execPath, [
    ...nodeFlags,
    COMMAND,
    'start',
    '--json',
    '--no-mdns',
    ...args
  ])
  const [ready] = await new Lines(child.stdout, name).find(/.*"event":"ready".*/)
  const { addresses, peerId, sandbox } = JSON.parse(ready) as {
    addresses: string[]
    peerId: string
    sandbox: string
  }
  return { process: child, peerId, sandbox, address: addresses[0]! }
}

/** Within one run, each job given to it when the result of the one before is here. */
async function runOneByOne(node: DistNode, job: JobName, inputs: readonly unknown[]): Promise<number[]> {
  const times: number[] = []
  let answered = Promise.withResolvers<void>()
  async function* inTurn(): AsyncGenerator {
    for (const input of inputs) {
      answered = Promise.withResolvers()
      const started = performance.now()
      yield input
      await answered.promise
      times.push(performance.now() - started)
    }
  }
  for await (const result of node.map(jobFunction(job), inTurn())) {
    if (result.status === 'error') throw result.error
    answered.resolve()
  }
  return times
}
