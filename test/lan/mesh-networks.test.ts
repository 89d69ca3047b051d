import { describe, expect, test } from 'vitest'
import { Lab } from '../../scripts/lan/lab.ts'
import { startNode } from '../../scripts/lan/nodes.ts'
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

describe.skipIf(missingForMesh()).concurrent('a host with two networks', { timeout: TEST_TIMEOUT_MS }, () => {
  test('finds the peers of both, and uses them', async () => {
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
})
