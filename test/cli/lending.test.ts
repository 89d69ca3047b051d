import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isOnBattery, othersShare, processorTimes } from '../../src/cli/lending/machine.ts'
import { PausePolicy } from '../../src/cli/lending/pause-policy.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dist-node-lending-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function supply(name: string, properties: Record<string, string>): void {
  mkdirSync(join(folder, name))
  for (const [file, value] of Object.entries(properties))
    writeFileSync(join(folder, name, file), `${value}\n`)
}

describe('power supplies', () => {
  const battery = (status: string): void => supply('BAT0', { type: 'Battery', status })

  test('a laptop that is unplugged', () => {
    supply('AC', { type: 'Mains', online: '0' })
    battery('Discharging')
    expect(isOnBattery(folder)).toBe(true)
  })

  test('a laptop that is plugged in, by its adapter or by USB, even if that is too weak to charge it', () => {
    supply('ucsi-source-psy', { type: 'USB', online: '1' })
    battery('Discharging')
    expect(isOnBattery(folder)).toBe(false)
  })

  test('a full battery, a mouse, a machine without any', () => {
    expect(isOnBattery(folder)).toBe(false)
    expect(isOnBattery(join(folder, 'nowhere'))).toBe(false)
    supply('hidpp_battery_0', { type: 'Battery', status: 'Discharging', scope: 'Device' })
    battery('Full')
    expect(isOnBattery(folder)).toBe(false)
  })
})

describe('what others use of the processors', () => {
  /** user and system time of a process, those of ended children, in hundredths of a second */
  function proc(
    pid: number,
    parent: number,
    [user, system, childUser, childSystem]: readonly number[]
  ): void {
    mkdirSync(join(folder, String(pid)), { recursive: true })
    const stat = `${pid} (a (strange) name) S ${parent} 1 1 0 -1 4194304 1 2 3 4 ${user} ${system} ${childUser} ${childSystem} 20 0 1 0 55`
    writeFileSync(join(folder, String(pid), 'stat'), stat)
  }

  test('is what is left of all when this process and its descendants are taken away', () => {
    writeFileSync(join(folder, 'stat'), 'cpu  1000 100 300 5000 20 10 10 0 0 0\ncpu0 1 2 3\n')
    proc(1, 0, [500, 0, 0, 0])
    proc(10, 1, [100, 50, 25, 25])
    proc(11, 10, [200, 0, 0, 0])
    proc(12, 11, [0, 100, 0, 0])
    proc(20, 1, [400, 0, 0, 0])
    expect(processorTimes(10, folder)).toEqual({ all: 14.2, own: 5 })
  })

  test('as a share of all processors', () => {
    const share = (all: number, own: number): number =>
      othersShare({ all: 100, own: 50 }, { all, own }, { elapsedMs: 5_000, processors: 4 })
    expect(share(110, 50)).toBe(0.5)
    expect(share(110, 60)).toBe(0)
    expect(share(120, 50)).toBe(1)
    // A process of ours that ended uncounted must not make it negative.
    expect(share(100, 55)).toBe(0)
  })

  test.runIf(process.platform === 'linux')('is read from this machine', () => {
    const before = processorTimes()
    const end = performance.now() + 100
    while (performance.now() < end);
    const after = processorTimes()
    expect(after.own - before.own).toBeGreaterThan(0)
    expect(after.all).toBeGreaterThanOrEqual(after.own)
  })
})

describe('when to pause', () => {
  const at = (seconds: number, othersShare: number, onBattery = false) => ({
    nowMs: seconds * 1_000,
    othersShare,
    onBattery
  })

  test('on battery at once, and no longer than that', () => {
    const policy = new PausePolicy({ onBattery: true, busyShare: undefined })
    expect(policy.reason(at(0, 1))).toBeUndefined()
    expect(policy.reason(at(5, 1, true))).toBe('this machine runs on its battery')
    expect(policy.reason(at(10, 1))).toBeUndefined()
  })

  test('busy after ten seconds, calm after a minute below seven tenths of the limit', () => {
    const policy = new PausePolicy({ onBattery: false, busyShare: 0.5 })
    const shares: [number, number, boolean][] = [
      [0, 0.6, false],
      [5, 0.1, false],
      [10, 0.6, false],
      [15, 0.6, false],
      [20, 0.6, true],
      [25, 0.3, true],
      [60, 0.4, true],
      [65, 0.3, true],
      [120, 0.3, true],
      [125, 0.3, false],
      [130, 0.6, false]
    ]
    for (const [seconds, share, paused] of shares)
      expect([seconds, policy.reason(at(seconds, share, true)) !== undefined]).toEqual([seconds, paused])
  })

  test('what was not asked for does not count', () => {
    const policy = new PausePolicy({ onBattery: false, busyShare: undefined })
    for (const seconds of [0, 20, 40]) expect(policy.reason(at(seconds, 1, true))).toBeUndefined()
  })
})
