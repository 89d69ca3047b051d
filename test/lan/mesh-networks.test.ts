import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Host } from '../../scripts/lan/host.ts'
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

/** A program that shares the port of multicast DNS with nobody. */
const KEEP_PORT = `require('node:dgram').createSocket('udp4').bind(5353, () => console.log('kept'))`

async function doctor(host: Host): Promise<Finding[]> {
  const { stdout } = await host.run('node', [DIST_NODE, 'doctor', '--json'])
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Finding)
}

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
    const findings = await doctor(lab.host(0))
    for (const check of ['interface eth0', 'peers', 'multicast'])
      expect(findings.find((finding) => finding.check === check)).toMatchObject({ status: 'ok' })
  })

  test('doctor names another password, a port that somebody keeps, and a cable that is out', async () => {
    await using lab = await Lab.create({ hosts: 2 })
    const [here, there] = [lab.host(0), lab.host(1)]
    const wrong = join(lab.folder, 'wrong-password')
    writeFileSync(wrong, 'quite another password, 4 words\n', { mode: 0o600 })
    await startNode(there, [...ONE_SLOT, '--password-file', wrong])
    expect(await doctor(here)).toContainEqual(
      expect.objectContaining({ status: 'problem', message: expect.stringMatching(/wrong password or mesh/) })
    )
    const keeper = await here.spawn('node', ['--eval', KEEP_PORT])
    await keeper.waitForLine('kept')
    expect(await doctor(here)).toContainEqual(
      expect.objectContaining({ check: 'UDP port 5353', status: 'problem' })
    )
    await keeper.kill()
    await here.cut()
    expect(await doctor(here)).toContainEqual(
      expect.objectContaining({ check: 'interfaces', message: expect.stringMatching(/there is no network/) })
    )
  })
})
