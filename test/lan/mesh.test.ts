import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Host } from '../../scripts/lan/host.ts'
import { Lab } from '../../scripts/lan/lab.ts'
import { missingBuild, startNode } from '../../scripts/lan/nodes.ts'
import type { LabNode } from '../../scripts/lan/nodes.ts'
import { missingRights } from '../../scripts/lan/rights.ts'
import { lostOrDoubled, startRun } from '../../scripts/lan/runs.ts'
import type { LabRun } from '../../scripts/lan/runs.ts'

const NAPS = new URL('jobs/naps.ts', import.meta.url).pathname
const ONE_SLOT = ['--slots', '1']

const missing = missingRights() ?? missingBuild()
if (missing !== undefined) console.warn(`LAN tests of the mesh are skipped: ${missing}`)

/** Starts nodes with one slot each, in all these hosts at once. */
function startNodes(hosts: readonly Host[], args: readonly string[] = []): Promise<LabNode[]> {
  return Promise.all(hosts.map((host) => startNode(host, [...ONE_SLOT, ...args])))
}

async function joined(node: LabNode, peer: LabNode, timeoutMs = 5_000): Promise<void> {
  await node.waitForEvent(({ event, id }) => event === 'peer-joined' && id === peer.peerId, { timeoutMs })
}

/** Every node has met every other one. */
async function allJoined(nodes: readonly LabNode[], timeoutMs = 5_000): Promise<void> {
  const pairs = nodes.flatMap((node) =>
    nodes.filter((peer) => peer !== node).map((peer) => [node, peer] as const)
  )
  await Promise.all(pairs.map(([node, peer]) => joined(node, peer, timeoutMs)))
}

/** A run of naps on the other hosts' nodes, once it has so many of them. */
function startNaps(host: Host, jobs: number, napMs: number, minPeers: number): Promise<LabRun> {
  const options = ['--no-local', '--min-peers', String(minPeers), '--wait', '10s']
  return startRun(host, NAPS, [String(jobs), String(napMs)], options)
}

async function endsWell(run: LabRun, jobs: number, timeoutMs = 20_000): Promise<void> {
  const { code } = await run.end(timeoutMs)
  expect(lostOrDoubled(run.results, jobs)).toBeUndefined()
  expect(run.results.filter(({ index, value }) => index !== value)).toEqual([])
  expect(code).toBe(0)
}

const nodesOf = (run: LabRun): string[] => [...new Set(run.results.map(({ node }) => node))].toSorted()

describe.skipIf(missing)('a mesh on a LAN', () => {
  test('three hosts find one another and a run spreads over them', async () => {
    await using lab = await Lab.create({ hosts: 3 })
    const nodes = await startNodes(lab.hosts)
    await allJoined(nodes)
    await using run = await startNaps(lab.host(0), 60, 20, 3)
    await endsWell(run, 60)
    expect(nodesOf(run)).toEqual(['h1', 'h2', 'h3'])
  })

  test('a host without multicast is reached through peer exchange', async () => {
    await using lab = await Lab.create({ hosts: 3 })
    await lab.host(2).link({ multicast: false })
    const [first, second] = await startNodes([lab.host(0), lab.host(1)])
    const deaf = await startNode(lab.host(2), [...ONE_SLOT, '--peer', lanAddress(first!)])
    await allJoined([first!, second!, deaf])
  })

  test('interfaces that lead nowhere do not keep hosts apart', async () => {
    await using lab = await Lab.create({ hosts: 3 })
    await lab.host(0).addInterface('docker0', '172.17.0.1')
    await lab.host(1).addInterface('docker0', '172.17.0.1')
    await lab.host(1).addInterface('tun0', '10.8.0.2', 24)
    await allJoined(await startNodes(lab.hosts))
  })

  test('a host that can dial but not be dialled takes part', async () => {
    await using lab = await Lab.create({ hosts: 3 })
    await lab.host(1).link({ inbound: false })
    const nodes = await startNodes(lab.hosts)
    await allJoined(nodes)
    await using run = await startNaps(lab.host(0), 30, 20, 3)
    await endsWell(run, 30)
    expect(nodesOf(run)).toContain('h2')
  })

  test('two hosts that cannot reach each other both work for one that reaches both', async () => {
    await using lab = await Lab.create({ hosts: 3 })
    await lab.sever(lab.host(1), lab.host(2))
    await startNodes([lab.host(1), lab.host(2)])
    await using run = await startNaps(lab.host(0), 30, 20, 2)
    await endsWell(run, 30)
    expect(nodesOf(run)).toEqual(['h2', 'h3'])
  })

  test('an executor whose cable is pulled for 3 s: nothing is lost or doubled, and it is back', async () => {
    await using lab = await Lab.create({ hosts: 3 })
    await startNodes([lab.host(1), lab.host(2)])
    const jobs = 500
    await using run = await startNaps(lab.host(0), jobs, 25, 2)
    await run.waitForResult(({ node }) => node === 'h2')
    await lab.host(1).cut()
    const cutAt = run.results.length
    await new Promise((resolve) => setTimeout(resolve, 3_000))
    expect(run.results.slice(cutAt).some(({ node }) => node === 'h3')).toBe(true)
    await lab.host(1).heal()
    const healedAt = run.results.length
    await run.waitForResult(({ node }) => node === 'h2', { from: healedAt, timeoutMs: 5_000 })
    await endsWell(run, jobs)
  })

  test('an executor that is killed costs no result; the others notice at once', async () => {
    await using lab = await Lab.create({ hosts: 3 })
    const [second, third] = await startNodes([lab.host(1), lab.host(2)])
    await allJoined([second!, third!])
    await using run = await startNaps(lab.host(0), 100, 20, 2)
    await run.waitForResult(({ node }) => node === 'h2')
    const killedAt = performance.now()
    await second!.process.kill()
    await third!.waitForEvent(({ event, id }) => event === 'peer-left' && id === second!.peerId, {
      timeoutMs: 2_000
    })
    expect(performance.now() - killedAt).toBeLessThan(2_000)
    await endsWell(run, 100)
  })

  test('a host that loses power is noticed by its silence', async () => {
    await using lab = await Lab.create({ hosts: 2 })
    const [first, second] = await startNodes(lab.hosts)
    await allJoined([first!, second!])
    await lab.host(1).cut()
    await first!.waitForEvent(({ event, id }) => event === 'peer-left' && id === second!.peerId, {
      timeoutMs: 15_000
    })
  })

  test('a node that stops says so', async () => {
    await using lab = await Lab.create({ hosts: 2 })
    const [first, second] = await startNodes(lab.hosts)
    await allJoined([first!, second!])
    expect(await second!.stop()).toBe(0)
    const left = await first!.waitForEvent(({ event }) => event === 'peer-left', { timeoutMs: 1_000 })
    expect(left).toMatchObject({ id: second!.peerId, name: 'h2' })
  })

  test('a wrong password: both sides say so and show each other nothing', async () => {
    await using lab = await Lab.create({ hosts: 2 })
    const wrong = join(lab.folder, 'wrong-password')
    writeFileSync(wrong, 'quite another password, 4 words\n', { mode: 0o600 })
    const nodes = await Promise.all([
      startNode(lab.host(0), ONE_SLOT),
      startNode(lab.host(1), [...ONE_SLOT, '--password-file', wrong])
    ])
    const refused = await Promise.all(
      nodes.map((node) => node.waitForEvent(({ event }) => event === 'peer-refused', { timeoutMs: 5_000 }))
    )
    for (const [index, refusal] of refused.entries()) {
      expect(JSON.stringify(refusal)).toMatch(/wrong password or mesh/)
      expect(refusal['address']).toContain(lab.host(1 - index).address)
      expect(nodes[index]!.events.map(({ event }) => event)).not.toContain('peer-joined')
      expect(nodes[index]!.process.stdout.join()).not.toContain(`"h${2 - index}"`)
    }
  })

  test('a host with a new address is found again', async () => {
    await using lab = await Lab.create({ hosts: 2 })
    const [first, second] = await startNodes(lab.hosts)
    await allJoined([first!, second!])
    const from = first!.process.stdout.length
    await lab.host(1).changeAddress(lab.freshAddress())
    const back = await first!.waitForEvent(
      ({ event, id }) => event === 'peer-joined' && id === second!.peerId,
      {
        from,
        timeoutMs: 20_000
      }
    )
    expect(JSON.stringify(back)).toContain(lab.host(1).address)
  })
})

/** The node's address on the laboratory's network. */
function lanAddress(node: LabNode): string {
  const address = node.ready.addresses.find((address) => address.includes(`/ip4/${node.host.address}/`))
  if (address === undefined) throw new Error(`${node.host.name} does not listen on its network`)
  return address
}
