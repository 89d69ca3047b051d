import { describe, expect, test } from 'vitest'
import { makeRandom, simulate, type SimulatedPeer } from './simulation.ts'

function peer(name: string, more: Partial<SimulatedPeer> = {}): SimulatedPeer {
  return { name, slots: 2, rttMs: 0.5, slowness: 1, joinsMs: 0, leavesMs: Infinity, ...more }
}

function idealMs(costs: readonly number[], peers: readonly SimulatedPeer[]): number {
  const work = costs.reduce((sum, cost) => sum + cost, 0)
  const speed = peers.reduce((sum, { slots, slowness }) => sum + slots / slowness, 0)
  return Math.max(work / speed, Math.max(...costs) * Math.min(...peers.map(({ slowness }) => slowness)))
}

describe('a simulated mesh', () => {
  test.each([
    { what: '400 jobs of 5 ms on 2 slots', costs: Array.from({ length: 400 }, () => 5), peers: [peer('a')] },
    {
      what: '1 job of 1 s beside 199 of 5 ms',
      costs: [1000, ...Array.from({ length: 199 }, () => 5)],
      peers: [peer('a')]
    },
    {
      what: '5000 jobs of 1 to 20 ms on 10 executors',
      costs: Array.from({ length: 5000 }, (_, at) => 1 + (at % 20)),
      peers: Array.from({ length: 10 }, (_, at) => peer(`p${at}`))
    },
    {
      what: '20000 jobs of 20 microseconds on 4 executors',
      costs: Array.from({ length: 20_000 }, () => 0.02),
      peers: Array.from({ length: 4 }, (_, at) => peer(`p${at}`))
    }
  ])('$what: near the ideal', ({ costs, peers }) => {
    const { makespanMs, settled } = simulate(costs, peers)
    expect(settled.size).toBe(costs.length)
    const efficiency = idealMs(costs, peers) / makespanMs
    expect(efficiency).toBeGreaterThan(costs[0]! < 1 ? 0.6 : 0.9)
  })

  test('two of five executors five times slower, one lost on the way: nothing lost, little time', () => {
    const random = makeRandom(7)
    const costs = Array.from({ length: 2_000 }, () => 2 + random() * 40)
    const peers = [
      peer('a'),
      peer('b'),
      peer('slow-1', { slowness: 5 }),
      peer('slow-2', { slowness: 5 }),
      peer('lost', { leavesMs: 2_000 })
    ]
    const { makespanMs, settled } = simulate(costs, peers)
    expect(settled.size).toBe(costs.length)
    expect([...settled.values()].every((times) => times === 1)).toBe(true)
    // What `lost` did before it was lost, the others had not to do.
    const work = costs.reduce((sum, cost) => sum + cost, 0)
    const ideal = (work - 2 * 2_000) / (4 + 4 / 5)
    expect(makespanMs).toBeLessThan(ideal * 1.1)
  })

  test.each(Array.from({ length: 300 }, (_, seed) => seed))(
    'random mesh, seed %i: every job settled once',
    (seed) => {
      const random = makeRandom(seed)
      const pick = (low: number, high: number): number => low + random() * (high - low)
      const longest = 10 ** pick(-2, 2)
      const costs = Array.from({ length: Math.ceil(10 ** pick(0, 3.3)) }, () => random() * longest)
      const peers = Array.from({ length: Math.ceil(10 ** pick(0, 1.5)) }, (_, at) =>
        peer(`p${at}`, {
          slots: Math.ceil(pick(0, 8)),
          rttMs: 10 ** pick(-1, 1.5),
          slowness: pick(1, 5),
          joinsMs: random() < 0.5 ? 0 : pick(0, longest * 10),
          // The first one stays, so that there is an end.
          leavesMs: at === 0 || random() < 0.5 ? Infinity : pick(0, longest * 20)
        })
      ).map((each) => ({ ...each, leavesMs: Math.max(each.leavesMs, each.joinsMs) }))
      const { settled } = simulate(costs, peers)
      expect(settled.size).toBe(costs.length)
      expect([...settled.values()].every((times) => times === 1)).toBe(true)
    }
  )
})
