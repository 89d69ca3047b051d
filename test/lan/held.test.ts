/** Detached runs on a LAN: the laptop that submitted is gone, and the cable of the node that holds the run is pulled. */
import { describe, expect, test } from 'vitest'
import { Lab } from '../../scripts/lan/lab.ts'
import { DIST_NODE, startNode } from '../../scripts/lan/nodes.ts'
import { LabRun, lostOrDoubled } from '../../scripts/lan/runs.ts'
import { allJoined, missingForMesh, PATIENCE_MS, TEST_TIMEOUT_MS } from './mesh-helpers.ts'

const NAPS = new URL('jobs/naps.ts', import.meta.url).pathname
const JOBS = 400

describe.skipIf(missingForMesh())('a detached run', { timeout: TEST_TIMEOUT_MS }, () => {
  test('outlives its submitter, and a pulled cable of its holder', async () => {
    await using lab = await Lab.create({ hosts: ['laptop', 'attic', 'cellar', 'phone'] })
    const [laptop, attic, cellar, phone] = [0, 1, 2, 3].map((number) => lab.host(number))
    await allJoined(
      await Promise.all([startNode(attic!, ['--slots', '2']), startNode(cellar!, ['--slots', '1'])])
    )
    const wait = ['--wait', `${PATIENCE_MS}ms`]
    const detached = await laptop!.run('node', [
      DIST_NODE,
      'run',
      NAPS,
      '--detach',
      ...wait,
      '--',
      `${JOBS}`,
      '40'
    ])
    expect(detached.stderr).toMatch(/400 jobs with attic/)
    const id = detached.stdout.trim()
    await laptop!.cut()

    const words = [DIST_NODE, 'attach', id, '--json', ...wait]
    await using following = new LabRun(await phone!.spawn('node', words))
    await following.waitForResult(() => true, { timeoutMs: PATIENCE_MS, from: 20 })
    await attic!.cut()
    await following.process.waitForLine(/attic, which holds the run, is away/, {
      stream: 'stderr',
      timeoutMs: PATIENCE_MS
    })
    await attic!.heal()
    expect((await following.end(TEST_TIMEOUT_MS / 2)).code).toBe(0)
    expect(following.process.stderr.join('\n')).toMatch(/attic has the run: going on/)
    expect(lostOrDoubled(following.results, JOBS)).toBeUndefined()
    for (const { index, value } of following.results) expect(value).toBe(index)
  })
})
