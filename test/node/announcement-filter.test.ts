import { networkInterfaces } from 'node:os'
import { expect, test } from 'vitest'
import { AnnouncementFilter } from '../../src/node/network/announcement-filter.ts'

const { LIMITS } = AnnouncementFilter

// An address this machine reaches without a router, if it has a network at all.
const own = Object.values(networkInterfaces())
  .flatMap((list) => list ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address
const address = `/ip4/${own}/tcp/4001`

test.skipIf(own === undefined)('known peers pass always, new ones at a pace', () => {
  const filter = new AnnouncementFilter()
  const passed = (prefix: string, count: number, nowMs: number): number =>
    Array.from({ length: count }, (_, n) =>
      filter.filter({ id: `${prefix}${n}`, addresses: [address] }, `10.9.8.${n % 100}`, nowMs)
    ).filter(Boolean).length
  expect(passed('a', 200, 1_000)).toBe(LIMITS.burst)
  expect(passed('a', LIMITS.burst, 1_000)).toBe(LIMITS.burst)
  expect(passed('b', 200, 2_000)).toBe(LIMITS.newPerSecond)
  for (let second = 3; second < 60; second++) passed(`c${second}-`, 30, second * 1_000)
  expect(passed('d', 30, 70_000)).toBe(0)
  expect(passed('e', 30, 70_000 + LIMITS.forgetMs)).toBe(30)
})

test.skipIf(own === undefined)('addresses elsewhere are not believed, and only a few of a peer', () => {
  const filter = new AnnouncementFilter()
  const elsewhere = [
    '/ip4/8.8.8.8/tcp/4001',
    '/ip4/127.0.0.1/tcp/4001',
    '/dns4/evil.example/tcp/4001',
    '/ip4/x'
  ]
  expect(filter.filter({ id: 'a', addresses: elsewhere }, undefined, 0)).toBeUndefined()
  const many = [...elsewhere, ...Array.from({ length: 50 }, (_, n) => `/ip4/${own}/tcp/${5_000 + n}`)]
  expect(filter.filter({ id: 'a', addresses: many }, undefined, 0)?.addresses).toEqual([
    `/ip4/${own}/tcp/5000`,
    `/ip4/${own}/tcp/5001`,
    `/ip4/${own}/tcp/5002`,
    `/ip4/${own}/tcp/5003`
  ])
})

test.skipIf(own === undefined)('one machine cannot announce a crowd, this machine can', () => {
  const announce = (source: string | undefined): number => {
    const filter = new AnnouncementFilter()
    const ids = Array.from({ length: 60 }, (_, n) => `peer ${n}`)
    return ids.filter((id) => filter.filter({ id, addresses: [address] }, source, 0) !== undefined).length
  }
  expect([announce('10.9.8.7'), announce(own), announce('127.0.0.1'), announce(undefined)]).toEqual([
    LIMITS.maxPeersPerSource,
    60,
    60,
    60
  ])
})
