/** What the LAN tests of the mesh share. */
import { expect } from 'vitest'
import type { Host } from '../../scripts/lan/host.ts'
import { missingBuild, startNode } from '../../scripts/lan/nodes.ts'
import type { LabNode } from '../../scripts/lan/nodes.ts'
import { missingRights } from '../../scripts/lan/rights.ts'
import { lostOrDoubled, startRun } from '../../scripts/lan/runs.ts'
import type { LabRun } from '../../scripts/lan/runs.ts'

const NAPS = new URL('jobs/naps.ts', import.meta.url).pathname

/**
 * What takes a second on a computer at rest may take this long on one that is busy with other tests. How fast the mesh
 * is belongs into a benchmark; here a deadline only tells late from never.
 */
export const PATIENCE_MS = 30_000

/** For a whole test with several nodes and a run. */
export const TEST_TIMEOUT_MS = 120_000

export const ONE_SLOT: readonly string[] = ['--slots', '1']

/** Why these tests cannot run here; said once for each file that asks. */
export function missingForMesh(): string | undefined {
  const missing = missingRights() ?? missingBuild()
  if (missing !== undefined) console.warn(`LAN tests of the mesh are skipped: ${missing}`)
  return missing
}

/** Starts nodes with one slot each, in all these hosts at once. */
export function startNodes(hosts: readonly Host[]): Promise<LabNode[]> {
  return Promise.all(hosts.map((host) => startNode(host, ONE_SLOT)))
}

/** Every node has met every other one. */
export async function allJoined(nodes: readonly LabNode[], timeoutMs = PATIENCE_MS): Promise<void> {
  const pairs = nodes.flatMap((node) =>
    nodes.filter((peer) => peer !== node).map((peer) => [node, peer] as const)
  )
  await Promise.all(
    pairs.map(([node, peer]) =>
      node.waitForEvent(({ event, id }) => event === 'peer-joined' && id === peer.peerId, { timeoutMs })
    )
  )
}

/** Waits until a node says that a peer is gone, and returns the reason it gives. */
export async function leftReason(node: LabNode, peer: LabNode, timeoutMs: number): Promise<unknown> {
  const left = await node.waitForEvent(({ event, id }) => event === 'peer-left' && id === peer.peerId, {
    timeoutMs
  })
  return left['reason']
}

/** A run of naps on the nodes, none in the submitter itself, once it has so many peers. */
export function startNaps(host: Host, jobs: number, napMs: number, minPeers: number): Promise<LabRun> {
  const options = ['--no-local', '--min-peers', String(minPeers), '--wait', `${PATIENCE_MS}ms`]
  return startRun(host, NAPS, [String(jobs), String(napMs)], options)
}

/** The run ends, and every job has exactly one result, its own. */
export async function endsWell(run: LabRun, jobs: number, timeoutMs = 2 * PATIENCE_MS): Promise<void> {
  const { code } = await run.end(timeoutMs)
  expect(lostOrDoubled(run.results, jobs)).toBeUndefined()
  expect(run.results.filter(({ index, value }) => index !== value)).toEqual([])
  expect(code).toBe(0)
}

export const nodesOf = (run: LabRun): string[] => [...new Set(run.results.map(({ node }) => node))].toSorted()

/** The node's address on the laboratory's network. */
export function lanAddress(node: LabNode): string {
  const address = node.ready.addresses.find((address) => address.includes(`/ip4/${node.host.address}/`))
  if (address === undefined) throw new Error(`${node.host.name} does not listen on its network`)
  return address
}
