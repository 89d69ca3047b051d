import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Lab } from '../../scripts/lan/lab.ts'
import { startNode } from '../../scripts/lan/nodes.ts'
import {
  allJoined,
  endsWell,
  lanAddress,
  leftReason,
  missingForMesh,
  nodesOf,
  ONE_SLOT,
  PATIENCE_MS,
  startNaps,
  startNodes,
  TEST_TIMEOUT_MS
} from './mesh-helpers.ts'

describe.skipIf(missingForMesh())('a mesh finds its peers', { timeout: TEST_TIMEOUT_MS }, () => {
  test('hosts with other interfaces, without inbound connections and without multicast all take part', async () => {
    await using lab = await Lab.create({ hosts: ['plain', 'docker', 'firewalled', 'deaf'] })
    const [plain, docker, firewalled, deaf] = [0, 1, 2, 3].map((number) => lab.host(number))
    await docker!.addInterface('docker0', '172.17.0.1')
    await docker!.addInterface('tun0', '10.8.0.2', 24)
    await plain!.addInterface('docker0', '172.17.0.1')
    await firewalled!.link({ inbound: false })
    await deaf!.link({ multicast: false })

    const nodes = await startNodes([plain!, docker!, firewalled!])
    // Without multicast somebody has to be named; the others are learnt from that one.
    nodes.push(await startNode(deaf!, [...ONE_SLOT, '--peer', lanAddress(nodes[0]!)]))
    await allJoined(nodes)

    await using run = await startNaps(plain!, 80, 20, 4)
    await endsWell(run, 80)
    expect(nodesOf(run)).toEqual(['deaf', 'docker', 'firewalled', 'plain'])
  })

  test('two hosts that cannot reach each other both work for one that reaches both', async () => {
    await using lab = await Lab.create({ hosts: 3 })
    await lab.sever(lab.host(1), lab.host(2))
    const nodes = await startNodes([lab.host(1), lab.host(2)])
    await using run = await startNaps(lab.host(0), 40, 20, 2)
    await endsWell(run, 40)
    expect(nodesOf(run)).toEqual(['h2', 'h3'])
    for (const node of nodes) {
      expect(
        node.events.filter(({ event, name }) => event === 'peer-joined' && /^h[23]$/.test(String(name)))
      ).toEqual([])
    }
  })

  test('a wrong password: both sides say so and show each other nothing', async () => {
    await using lab = await Lab.create({ hosts: 2 })
    const wrong = join(lab.folder, 'wrong-password')
    writeFileSync(wrong, 'quite another password, 4 words\n', { mode: 0o600 })
    const nodes = await Promise.all([
      startNode(lab.host(0), ONE_SLOT),
      startNode(lab.host(1), [...ONE_SLOT, '--password-file', wrong])
    ])
    for (const [index, node] of nodes.entries()) {
      const other = 1 - index
      const refusal = await node.waitForEvent(({ event }) => event === 'peer-refused', {
        timeoutMs: PATIENCE_MS
      })
      expect(JSON.stringify(refusal)).toMatch(/wrong password or mesh/)
      expect(refusal['address']).toContain(lab.host(other).address)
      expect(node.events.map(({ event }) => event)).not.toContain('peer-joined')
      expect(node.process.stdout.join()).not.toContain(`"${lab.host(other).name}"`)
    }
  })

  test('an executor that is killed costs no result; who stops says goodbye', async () => {
    await using lab = await Lab.create({ hosts: 3 })
    const [second, third] = await startNodes([lab.host(1), lab.host(2)])
    await allJoined([second!, third!])
    await using run = await startNaps(lab.host(0), 100, 20, 2)
    await run.waitForResult(({ node }) => node === 'h2', { timeoutMs: PATIENCE_MS })
    await second!.process.kill()
    // Its connections broke: noticed long before silence would tell.
    expect(await leftReason(third!, second!, PATIENCE_MS)).not.toMatch(/silent/)
    await endsWell(run, 100)
    const again = await startNode(lab.host(1), ONE_SLOT)
    await allJoined([again, third!])
    expect(await third!.stop()).toBe(0)
    expect(await leftReason(again, third!, PATIENCE_MS)).toMatch(/stopped/)
  })
})
