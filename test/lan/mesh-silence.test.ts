import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { Lab } from '../../scripts/lan/lab.ts'
import {
  allJoined,
  endsWell,
  leftReason,
  missingForMesh,
  nodesOf,
  PATIENCE_MS,
  startNaps,
  startNodes,
  TEST_TIMEOUT_MS
} from './mesh-helpers.ts'

// Mostly waiting, so side by side.
describe.skipIf(missingForMesh()).concurrent('a mesh bears silence', { timeout: TEST_TIMEOUT_MS }, () => {
  test('an executor whose cable is pulled for 3 s: nothing is lost or doubled, and it is back', async () => {
    await using lab = await Lab.create({ hosts: 3 })
    await startNodes([lab.host(1), lab.host(2)])
    const jobs = 500
    await using run = await startNaps(lab.host(0), jobs, 25, 2)
    await run.waitForResult(({ node }) => node === 'h2', { timeoutMs: PATIENCE_MS })
    await lab.host(1).cut()
    const cutAt = run.results.length
    await delay(3_000)
    expect(run.results.slice(cutAt).some(({ node }) => node === 'h3')).toBe(true)
    const healedAt = run.results.length
    await lab.host(1).heal()
    await run.waitForResult(({ node }) => node === 'h2', { from: healedAt, timeoutMs: PATIENCE_MS })
    await endsWell(run, jobs)
  })

  test('a submitter whose cable is pulled for 20 s: its run goes on afterwards and ends well', async () => {
    await using lab = await Lab.create({ hosts: 3 })
    await startNodes([lab.host(1), lab.host(2)])
    const jobs = 200
    await using run = await startNaps(lab.host(0), jobs, 25, 2)
    await run.waitForResult(() => true, { timeoutMs: PATIENCE_MS })
    await lab.host(0).cut()
    await delay(20_000)
    expect(run.results.length).toBeLessThan(jobs)
    await lab.host(0).heal()
    await endsWell(run, jobs)
    expect(nodesOf(run)).toEqual(['h2', 'h3'])
  })

  test('a host with a new address is missed within seconds, and found again at once', async () => {
    await using lab = await Lab.create({ hosts: 2 })
    const [first, second] = await startNodes(lab.hosts)
    await allJoined([first!, second!])
    const from = first!.process.stdout.length
    await lab.host(1).changeAddress(lab.freshAddress())
    // It may be back by its new address before it is missed; then nothing is said, and only its goodbye shows it.
    const reason = await leftReason(first!, second!, PATIENCE_MS).catch(() => 'replaced')
    if (reason !== 'replaced') {
      expect(reason).toMatch(/silent/)
      const isBack = ({ event, id }: { event: string; id?: unknown }): boolean =>
        event === 'peer-joined' && id === second!.peerId
      const back = await first!.waitForEvent(isBack, { from, timeoutMs: PATIENCE_MS })
      expect(back['address']).toContain(lab.host(1).address)
    }
    const left = first!.waitForEvent(
      ({ event, reason }) => event === 'peer-left' && String(reason).includes('stopped'),
      { from, timeoutMs: PATIENCE_MS }
    )
    await second!.stop()
    await left
  })
})
