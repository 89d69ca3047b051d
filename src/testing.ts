/**
 * `dist-node/testing`: a mesh for unit tests. All nodes are in the process of the test, listen on the loopback alone and
 * keep what they remember in a temporary folder; jobs run in real worker processes, so that what cannot travel fails in
 * the test as it would on another machine.
 *
 * It works with every test runner that leaves functions as they are written: `node:test` as it is, vitest with
 * `test: { experimental: { viteModuleRunner: false } }` in its configuration.
 *
 * @packageDocumentation
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UsageError } from './node/errors.ts'
import { DistNode } from './node/node.ts'
import type { NodeOptions } from './node/options.ts'

/** How the mesh of a test is made: options of its lending nodes, all of which have defaults that suit a test. */
export interface TestMeshOptions extends Pick<
  NodeOptions,
  'allowFsRead' | 'allowNet' | 'jobMemoryMb' | 'sandbox'
> {
  /** Jobs that each of the nodes runs at once. @default 1 */
  slots?: number
  /** Longest to wait until all nodes are connected to one another, in milliseconds. @default 10_000 */
  timeoutMs?: number
}

/** More nodes than this in one process say little about a mesh, and take long to connect. */
const MAX_NODES = 32

/**
 * A mesh in this process, made by {@link createTestMesh}: some nodes that lend, and one that submits.
 *
 * @example
 * await using mesh = await createTestMesh(2)
 * const doubled = await mesh.submitter.map((n: number) => n * 2, [1, 2, 3]).all()
 */
export class TestMesh implements AsyncDisposable {
  /** The nodes that run jobs, `node-1`, `node-2` … What one of them submits itself is run by the others. */
  readonly nodes: readonly DistNode[]
  /** A node that lends nothing: all that it runs travels to the others. */
  readonly submitter: DistNode
  readonly #folder: string

  /** @internal use {@link createTestMesh} */
  constructor(nodes: readonly DistNode[], submitter: DistNode, folder: string) {
    this.nodes = nodes
    this.submitter = submitter
    this.#folder = folder
  }

  /** Stops every node and removes the temporary folder. Disposing of the mesh (`await using`) does the same. */
  async stop(): Promise<void> {
    // The submitter first: with it end the runs, for which the others would otherwise wait.
    await this.submitter.stop('the test is over')
    await Promise.all(this.nodes.map((node) => node.stop('the test is over')))
    await rm(this.#folder, { recursive: true, force: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

/**
 * Starts nodes in this process and resolves when every one is connected to every other. Nothing leaves this machine,
 * and no other node finds them: the password and the mesh's name are random, ports are free ones of the loopback,
 * multicast DNS is off.
 *
 * @param count how many nodes lend slots, 1 to 32; one more submits. Default 3
 * @throws {UsageError} when `count` or an option cannot be used
 * @throws {MeshError} `MESH_TOO_FEW_PEERS` when they are not connected within `timeoutMs`
 * @example
 * import { test } from 'node:test'
 * import assert from 'node:assert/strict'
 * import { createTestMesh } from 'dist-node/testing'
 * import { resize } from './resize.ts'
 *
 * test('resize travels', async () => {
 *   await using mesh = await createTestMesh(2)
 *   const [small] = await mesh.submitter.map(resize, [picture]).all()
 *   assert.equal(small.width, 100)
 * })
 */
export async function createTestMesh(count: number = 3, options: TestMeshOptions = {}): Promise<TestMesh> {
  if (!Number.isInteger(count) || count < 1 || count > MAX_NODES)
    throw new UsageError(
      `createTestMesh: expected a whole number of nodes from 1 to ${MAX_NODES}, got ${count}`
    )
  const { timeoutMs = 10_000, slots = 1, ...more } = options
  const folder = await mkdtemp(join(tmpdir(), 'dist-node-test-mesh-'))
  const started: DistNode[] = []
  const start = async (name: string, own: NodeOptions): Promise<DistNode> => {
    const node = await DistNode.create({ ...common, ...own, name, dir: join(folder, name) })
    started.push(node)
    return node.start()
  }
  const common: NodeOptions = {
    password: randomBytes(24).toString('base64url'),
    mesh: `test-${randomBytes(6).toString('hex')}`,
    listen: ['/ip4/127.0.0.1/tcp/0'],
    mdns: false,
    sameHost: false,
    local: false
  }
  try {
    const submitter = await start('submitter', { slots: 0 })
    // The submitter tells every node where the others are.
    const peers = submitter.addresses
    const names = Array.from({ length: count }, (_, at) => `node-${at + 1}`)
    const nodes = await Promise.all(names.map((name) => start(name, { ...more, slots, peers })))
    const connected = nodes.map((node) => node.waitForPeers(count - 1, { timeoutMs }))
    await Promise.all([submitter.waitForPeers(count, { timeoutMs }), ...connected])
    return new TestMesh(nodes, submitter, folder)
  } catch (error) {
    await Promise.all(started.map((node) => node.stop('the mesh could not be made')))
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}
