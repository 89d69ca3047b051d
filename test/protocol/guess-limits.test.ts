import { beforeEach, describe, expect, test } from 'vitest'
import { addressGroup, GUESS_LIMITS, GuessLimits } from '../../src/protocol/guess-limits.ts'
import type { Direction } from '../../src/protocol/guess-limits.ts'

type End = 'unfinished' | 'refused' | 'guess' | 'proved'

describe('guess limits', () => {
  let nowMs = 0
  let alarms: number[] = []
  let limits: GuessLimits

  beforeEach(() => {
    nowMs = 1_000
    alarms = []
    limits = new GuessLimits({ nowMs: () => nowMs, onAlarm: (failures) => alarms.push(failures) })
  })

  function attempt(end: End, address: string, peer: string, direction: Direction = 'inbound'): boolean {
    const guard = limits.guard(direction, address, peer)
    try {
      guard.begin()
    } catch (error) {
      expect(error).toMatchObject({ code: 'PEER_BUSY' })
      guard.end()
      return false
    }
    if (end === 'refused') guard.refused()
    if (end === 'guess' || end === 'proved') guard.exposed()
    if (end === 'proved') guard.proved()
    guard.end()
    return true
  }

  function countAllowed(tries: number, one: (index: number) => boolean): number {
    return Array.from({ length: tries }, (_, index) => one(index)).filter(Boolean).length
  }

  test.each(['inbound', 'outbound'] as const)(
    '%s: 5 wrong passwords from an address, then one a minute',
    (direction) => {
      const guess = (): boolean => attempt('guess', '10.0.0.1', 'mallory', direction)
      expect(countAllowed(20, guess)).toBe(5)
      nowMs += 59_000
      expect(countAllowed(5, guess)).toBe(0)
      nowMs += 1_000
      expect(countAllowed(5, guess)).toBe(1)
      nowMs += 60_000 * 60
      expect(countAllowed(20, guess)).toBe(5)
    }
  )

  test('directions share a budget: what a stranger learns by dialling and by being dialled adds up', () => {
    expect(
      countAllowed(20, (i) => attempt('guess', '10.0.0.1', 'mallory', i % 2 === 0 ? 'inbound' : 'outbound'))
    ).toBe(5)
  })

  test('other peer ids of one address share its budget, other addresses do not', () => {
    expect(countAllowed(20, (i) => attempt('guess', '10.0.0.1', `sybil ${i}`))).toBe(5)
    expect(attempt('proved', '10.0.0.2', 'honest')).toBe(true)
  })

  test('20 wrong passwords on the whole node, then one in 30 s, wherever they come from', () => {
    expect(countAllowed(100, (i) => attempt('guess', `10.0.1.${i}`, `sybil ${i}`))).toBe(20)
    nowMs += 30_000
    expect(countAllowed(100, (i) => attempt('guess', `10.0.2.${i}`, `sybil ${i}`))).toBe(1)
  })

  test('nodes of this machine share no budget of their own, only that of the whole node', () => {
    limits = new GuessLimits({ nowMs: () => nowMs, isLocal: (address) => address === '127.0.0.1' })
    expect(countAllowed(12, () => attempt('guess', '127.0.0.1', 'misconfigured'))).toBe(12)
    expect(attempt('proved', '127.0.0.1', 'newcomer')).toBe(true)
    expect(countAllowed(50, () => attempt('guess', '127.0.0.1', 'mallory'))).toBe(8)
  })

  test('a million words take a year', () => {
    const perDay = 86_400_000 / GUESS_LIMITS.nodeRefillMs
    expect(1_000_000 / perDay).toBeGreaterThan(340)
  })

  test('who has proved the password since the start is not kept out by the guesses of others', () => {
    expect(attempt('proved', '10.0.0.9', 'honest')).toBe(true)
    countAllowed(100, (i) => attempt('guess', `10.0.1.${i}`, `sybil ${i}`))
    countAllowed(100, () => attempt('guess', '10.0.0.9', 'neighbour'))
    expect(attempt('proved', '10.0.0.7', 'newcomer')).toBe(false)
    expect(attempt('proved', '10.0.0.9', 'honest')).toBe(true)
  })

  test('a member whose password no longer fits counts like everybody', () => {
    attempt('proved', '10.0.0.9', 'member')
    expect(countAllowed(50, () => attempt('guess', '10.0.0.9', 'member'))).toBe(5)
  })

  test('20 broken-off handshakes from an address, then one in 3 s; outbound ones are not its fault', () => {
    expect(countAllowed(50, () => attempt('unfinished', '10.0.0.1', 'mallory'))).toBe(20)
    nowMs += 3_000
    expect(countAllowed(50, () => attempt('unfinished', '10.0.0.1', 'mallory'))).toBe(1)
    expect(countAllowed(50, () => attempt('unfinished', '10.0.0.2', 'slow', 'outbound'))).toBe(50)
  })

  test('nodes of another mesh or version may come as often as they like', () => {
    expect(countAllowed(100, () => attempt('refused', '10.0.0.1', 'neighbour'))).toBe(100)
  })

  test('handshakes at once: 32 from an address, 64 in all; the next may start when one ends', () => {
    const running = Array.from({ length: 32 }, (_, i) => limits.guard('inbound', '10.0.0.1', `p${i}`))
    for (const guard of running) guard.begin()
    expect(() => limits.guard('inbound', '10.0.0.1', 'x').begin()).toThrow('from this address')
    const others = Array.from({ length: 32 }, (_, i) => limits.guard('inbound', `10.0.1.${i}`, `q${i}`))
    for (const guard of others) guard.begin()
    expect(() => limits.guard('inbound', '10.0.3.1', 'x').begin()).toThrow('at once')
    running[0]!.proved()
    running[0]!.end()
    running[0]!.end()
    limits.guard('inbound', '10.0.3.1', 'x').begin()
    expect(() => limits.guard('inbound', '10.0.3.1', 'y').begin()).toThrow('at once')
  })

  test('guesses begun together run into debt, which is paid before the next is allowed', () => {
    const together = Array.from({ length: 15 }, () => limits.guard('inbound', '10.0.0.1', 'mallory'))
    for (const guard of together) guard.begin()
    for (const guard of together) {
      guard.exposed()
      guard.end()
    }
    nowMs += 10 * 60_000
    expect(attempt('guess', '10.0.0.1', 'mallory')).toBe(false)
    nowMs += 60_000
    expect(attempt('guess', '10.0.0.1', 'mallory')).toBe(true)
  })

  test('50 wrong passwords in an hour raise the alarm, once', () => {
    for (let i = 0; i < 200; i++) {
      attempt('guess', `10.0.${i}.1`, `sybil ${i}`)
      nowMs += 40_000
    }
    expect(alarms).toEqual([50, 50, 50].slice(0, alarms.length))
    expect(alarms.length).toBe(2)
    expect(limits.failuresLastHour).toBeGreaterThanOrEqual(50)
  })

  test('memory does not grow with the number of addresses', () => {
    for (let i = 0; i < 20_000; i++)
      attempt('unfinished', `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, `p${i}`)
    expect(limits.refusal('inbound', '10.9.9.9', 'new')).toBeUndefined()
  })

  test.each([
    ['192.168.1.7', '192.168.1.7'],
    ['::ffff:192.168.1.7', '192.168.1.7'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['fe80::aaaa:bbbb:cccc:dddd', 'fe80:0:0:0::/64'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::', '2001:db8:1:2::/64'],
    ['::1', '0:0:0:0::/64']
  ])('%s counts as %s', (address, group) => {
    expect(addressGroup(address)).toBe(group)
  })
})
