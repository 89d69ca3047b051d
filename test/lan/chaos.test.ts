import { describe, expect, test } from 'vitest'
import { chaos } from '../../scripts/lan/chaos.ts'
import { missingForMesh } from './mesh-helpers.ts'

describe.skipIf(missingForMesh())('chaos', () => {
  test('a few seconds of it cost no job and leave nothing behind', { timeout: 180_000 }, async () => {
    const events: string[] = []
    const seed = Number(process.env['CHAOS_SEED'] ?? 1)
    const report = await chaos({
      seed,
      durationMs: 6_000,
      executors: 3,
      jobs: 400,
      restMs: 0,
      log: (line) => events.push(line)
    })
    expect(report.defects, `seed ${seed}\n${events.join('\n')}`).toEqual([])
    expect(report.jobs).toBe(report.runs * 400)
    expect(Object.keys(report.faults).length).toBeGreaterThan(1)
  })
})
