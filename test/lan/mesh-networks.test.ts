import { describe, expect, test } from 'vitest'
import { Lab } from '../../scripts/lan/lab.ts'
import { DIST_NODE, startNode } from '../../scripts/lan/nodes.ts'
import type { Finding } from '../../src/index.ts'
import {
  allJoined,
  endsWell,
  missingForMesh,
  nodesOf,
  ONE_SLOT,
  startNaps,
  startNodes,
  TEST_TIMEOUT_MS
} from './mesh-helpers.ts'

describe.skipIf(missingForMesh()).concurrent('networks of all kinds', { timeout: TEST_TIMEOUT_MS }, () => {
  test('a host with two networks finds the peers of both, and uses them', async () => {
    await using lab = await Lab.create({ hosts: ['left', 'between', 'right'] })
    const [left, between, right] = [0, 1, 2].map((number) => lab.host(number))
    await lab.addNetwork([between!, right!])
    await right!.cut()
    await between!.addInterface('docker0', '172.17.0.1')
    const nodes = await startNodes([left!, right!])
    await using run = await startNaps(between!, 40, 20, 2)
    await endsWell(run, 40)
    expect(nodesOf(run)).toEqual(['left', 'right'])
    for (const { events } of nodes) {
      expect(events.filter(({ event, name }) => event === 'peer-joined' && name !== 'between')).toEqual([])
    }
  })

  test('a network that comes later is used as soon as it is there', async () => {
    await using lab = await Lab.create({ hosts: ['here', 'there'] })
    const [here, there] = [lab.host(0), lab.host(1)]
    await there.cut()
    const nodes = [await startNode(here, ONE_SLOT), await startNode(there, ONE_SLOT)] as const
    await lab.addNetwork([here, there])
    await allJoined(nodes)
    const joined = nodes[0].events.find(({ event }) => event === 'peer-joined')
    expect(joined?.['address']).toMatch(/10\.78\.0\.[12]/)
  })

  test('hosts that have IPv6 alone find each other by its multicast, and doctor sees nothing wrong', async () => {
    await using lab = await Lab.create({ hosts: 2 })
    await Promise.all(lab.hosts.map((host, at) => host.useIpv6(`fd77::${at + 1}`)))
    const nodes = await startNodes(lab.hosts)
    await allJoined(nodes)
    const joined = nodes[0]!.events.find(({ event }) => event === 'peer-joined')
    expect(joined!['address']).toMatch(/^\/ip6\/fd77::2\//)
    const { stdout } = await lab.host(0).run('node', [DIST_NODE, 'doctor', '--json'])
    const findings = stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Finding)
    for (const check of ['interface eth0', 'peers', 'multicast'])
      expect(findings.find((finding) => finding.check === check)).toMatchObject({ status: 'ok' })
  })
})
