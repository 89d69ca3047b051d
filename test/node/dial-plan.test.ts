import { describe, expect, test } from 'vitest'
import { DialPlan } from '../../src/node/network/dial-plan.ts'

const ADDRESS = '/ip4/10.0.0.2/tcp/4001'
const nobody = (): boolean => false

/** Times at which a peer that never answers is dialled, within a span. */
function dialTimes(plan: DialPlan, untilMs: number, refused = false): number[] {
  const times: number[] = []
  for (let nowMs = 0; nowMs <= untilMs; nowMs += 50) {
    for (const { key } of plan.due(nowMs, nobody)) {
      times.push(nowMs)
      plan.onFailed(key, refused ? 'refused' : 'unreachable', nowMs)
    }
  }
  return times
}

describe('dial plan', () => {
  test('dials a discovered peer at once when this node has the smaller id, a moment later otherwise', () => {
    for (const [self, expected] of [
      ['a', 0],
      ['z', 1000]
    ] as const) {
      const plan = new DialPlan(self, () => 0.5)
      plan.learn({ id: 'm', addresses: [ADDRESS] }, 'mdns', 0)
      expect(dialTimes(plan, 1_000)[0]).toBe(expected)
    }
  })

  test('dials what the user typed at once, whoever is smaller', () => {
    const plan = new DialPlan('z', () => 0.5)
    plan.learn({ id: 'm', addresses: [ADDRESS] }, 'user', 0)
    expect(dialTimes(plan, 0)).toEqual([0])
  })

  test('never dials itself, nor a peer it is connected to', () => {
    const plan = new DialPlan('a', () => 0.5)
    plan.learn({ id: 'a', addresses: [ADDRESS] }, 'mdns', 0)
    plan.learn({ id: 'm', addresses: [ADDRESS] }, 'mdns', 0)
    expect(plan.due(0, (id) => id === 'm')).toEqual([])
  })

  test('backs off to 3 s and never gives up', () => {
    const plan = new DialPlan('a', () => 0.5)
    plan.learn({ id: 'm', addresses: [ADDRESS] }, 'mdns', 0)
    const times = dialTimes(plan, 60_000)
    const gaps = times.slice(1).map((time, at) => time - times[at]!)
    expect(gaps.slice(0, 4)).toEqual([250, 500, 1000, 2000])
    expect(Math.max(...gaps)).toBe(3_000)
    expect(times.at(-1)).toBeGreaterThan(56_000)
  })

  test('leaves a peer that refuses us alone for longer and longer', () => {
    const plan = new DialPlan('a', () => 0.5)
    plan.learn({ id: 'm', addresses: [ADDRESS] }, 'mdns', 0)
    expect(dialTimes(plan, 250_000, true)).toEqual([0, 30_000, 90_000, 210_000])
    plan.retryAll(250_000)
    expect(plan.due(250_000, nobody).length).toBe(1)
  })

  test('a dial that is cut short at once is tried again at once; one that took its time, or a busy peer, later', () => {
    for (const [reason, tookMs, delayMs] of [
      ['unfinished', 100, 250],
      ['unfinished', 6_000, 10_000],
      ['busy', 100, 10_000]
    ] as const) {
      const plan = new DialPlan('a', () => 0.5)
      plan.learn({ id: 'm', addresses: [ADDRESS] }, 'mdns', 0)
      plan.onFailed(plan.due(0, nobody)[0]!.key, reason, tookMs)
      expect(plan.nextMs(nobody) - tookMs).toBe(delayMs)
    }
  })

  test('a new address of a peer that failed is tried at once', () => {
    const plan = new DialPlan('a', () => 0.5)
    plan.learn({ id: 'm', addresses: [ADDRESS] }, 'mdns', 0)
    plan.onFailed(plan.due(0, nobody)[0]!.key, 'refused', 0)
    plan.learn({ id: 'm', addresses: ['/ip4/10.0.0.3/tcp/4001'] }, 'exchange', 100)
    expect(plan.due(100, nobody)[0]?.addresses).toEqual(['/ip4/10.0.0.3/tcp/4001/p2p/m', `${ADDRESS}/p2p/m`])
  })

  test('dials what worked last, then what was learnt last, and forgets the oldest', () => {
    const plan = new DialPlan('a', () => 0.5)
    const at = (n: number): string => `/ip4/10.0.0.${n}/tcp/4001`
    plan.learn({ id: 'm', addresses: [at(1), `${at(1)}/p2p/m`] }, 'mdns', 0)
    plan.onDialled(plan.due(0, nobody)[0]!.key, 'm', at(1), 0)
    for (let n = 2; n <= 8; n++) plan.learn({ id: 'm', addresses: [at(n)] }, 'mdns', 0)
    const addresses = plan.due(0, nobody)[0]!.addresses
    expect(addresses).toHaveLength(8)
    expect(addresses.slice(0, 3)).toEqual([`${at(1)}/p2p/m`, `${at(8)}/p2p/m`, `${at(7)}/p2p/m`])
    plan.learn({ id: 'm', addresses: [at(9)] }, 'mdns', 0)
    expect(plan.known()[0]!.addresses).not.toContain(at(1))
  })

  test('one dial at a time per peer, four in all', () => {
    const plan = new DialPlan('a', () => 0.5)
    for (let n = 0; n < 20; n++)
      plan.learn({ id: `m${n}`, addresses: [`/ip4/10.0.0.${n}/tcp/4001`] }, 'mdns', 0)
    expect(plan.due(0, nobody)).toHaveLength(4)
    expect(plan.due(0, nobody)).toHaveLength(0)
  })

  test('learns the id behind an address the user typed', () => {
    const plan = new DialPlan('a', () => 0.5)
    plan.learn({ addresses: [ADDRESS] }, 'user', 0)
    plan.onDialled(plan.due(0, nobody)[0]!.key, 'm', ADDRESS, 0)
    expect(plan.known()).toEqual([{ id: 'm', addresses: [ADDRESS] }])
    plan.onDisconnected('m', 1_000)
    expect(plan.due(1_000, nobody)).toEqual([])
    expect(plan.due(1_250, nobody)).toHaveLength(1)
  })

  test('an honest peer does not wait behind a crowd of invented ones', () => {
    const plan = new DialPlan('a', () => 0.5)
    for (let n = 0; n < 40; n++)
      plan.learn({ id: `m${n}`, addresses: [`/ip4/10.9.9.${n}/tcp/4001`] }, 'mdns', 0)
    const running: { key: string; endsMs: number }[] = []
    let dialledMs: number | undefined
    for (let nowMs = 0; nowMs < 30_000 && dialledMs === undefined; nowMs += 50) {
      if (nowMs === 12_000) plan.learn({ id: 'z', addresses: [ADDRESS] }, 'mdns', nowMs)
      for (const dial of running.filter(({ endsMs }) => endsMs <= nowMs)) {
        running.splice(running.indexOf(dial), 1)
        plan.onFailed(dial.key, 'unreachable', nowMs)
      }
      // Nobody answers at the invented addresses, so each of those dials takes its full time.
      for (const { key } of plan.due(nowMs, nobody)) {
        if (key === 'z') dialledMs = nowMs
        running.push({ key, endsMs: nowMs + 1_000 })
      }
    }
    expect(dialledMs).toBeLessThanOrEqual(13_100)
  })
})
