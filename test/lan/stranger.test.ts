import { describe, expect, test } from 'vitest'
import { Lab } from '../../scripts/lan/lab.ts'
import { startNode } from '../../scripts/lan/nodes.ts'
import type { LabNode } from '../../scripts/lan/nodes.ts'
import { missingForMesh, ONE_SLOT, PATIENCE_MS, TEST_TIMEOUT_MS } from './mesh-helpers.ts'

const STRANGER = new URL('stranger.ts', import.meta.url).pathname

const lanAddress = ({ ready, host }: LabNode): string =>
  ready.addresses.find((address) => address.includes(`/${host.address}/`))!

describe.skipIf(missingForMesh())('a stranger that does what one machine can against a node', () => {
  test.each(['connections', 'garbage', 'streams', 'guesses', 'announcements'])(
    '%s do not keep an honest peer out',
    { timeout: TEST_TIMEOUT_MS },
    async (mode) => {
      await using lab = await Lab.create({ hosts: 3 })
      await using attacked = await startNode(lab.host(0), ONE_SLOT)
      const stranger = await lab.host(1).spawn('node', [STRANGER, mode, lanAddress(attacked)])
      // By then the node has as much of it as it lets in.
      await stranger.waitForLine((line) => Number(/tried (\d+)/.exec(line)?.[1] ?? 0) >= 20, {
        timeoutMs: PATIENCE_MS
      })
      const startedMs = performance.now()
      await using honest = await startNode(lab.host(2), ONE_SLOT)
      await attacked.waitForEvent(({ event, id }) => event === 'peer-joined' && id === honest.peerId, {
        timeoutMs: PATIENCE_MS
      })
      const joinedMs = performance.now() - startedMs
      const tries = stranger.stdout.findLast((line) => line.startsWith('tried'))
      console.log(
        `${mode}: joined ${Math.round(joinedMs)} ms after the start of its process; stranger ${tries}`
      )
      await stranger.kill()
      expect(stranger.stdout).not.toContain('let in')
      expect(attacked.events.filter(({ event }) => event === 'peer-joined').length).toBe(1)
      // A node that is attacked does not drown its owner in lines: wrong passwords alone are told, and they are limited.
      expect(attacked.events.filter(({ event }) => event === 'peer-refused').length).toBeLessThan(30)
    }
  )
})
