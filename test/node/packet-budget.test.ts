import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { networkInterfaces } from 'node:os'
import { encode } from 'dns-packet'
import { expect, test } from 'vitest'
import { AnnouncementFormat, labelOf, serviceName } from '../../src/node/network/announcement.ts'
import { announcementListener } from '../../src/node/network/announcement-listener.ts'
import { PacketBudget } from '../../src/node/network/packet-budget.ts'

const MESH = '89abcdef01234567'
const ID = '12D3KooWGrcbVXWgtgLRG55qYpM7oGCsP5Qcj6oZGmkyyrqzzGsw'
const format = new AnnouncementFormat(MESH, 'there')
const announcement = format.announcement([`/ip4/10.0.0.2/tcp/4001/p2p/${ID}`])

/** A packet of thousands of names that all point at one long one. */
function pointers(bytes: number): Buffer {
  const name = `${Array<string>(50).fill('abc').join('.')}.${serviceName(MESH)}`
  const head = encode({ type: 'response', answers: [{ name, type: 'TXT', data: 'x' }] })
  const pointer = Buffer.from([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 0, 0, 0])
  const count = Math.floor((bytes - head.length) / pointer.length)
  const packet = Buffer.concat([head, ...Array<Buffer>(count).fill(pointer)])
  packet.writeUInt16BE(count + 1, 6)
  return packet
}

test('a flood is looked at for a small part of the time, whoever sends it', () => {
  const budget = new PacketBudget(labelOf(MESH), 0)
  const packet = pointers(1_400)
  let taken = 0
  for (let nowMs = 0; nowMs < 10_000; nowMs++) {
    // 1.4 MB in a second, from four thousand addresses.
    if (budget.takes(packet, `10.0.${nowMs % 16}.${nowMs % 256}`, nowMs)) taken++
  }
  expect(taken).toBeLessThan(200)
})

test('what one machine floods costs the others nothing', () => {
  const budget = new PacketBudget(labelOf(MESH), 0)
  const packet = pointers(1_400)
  for (let nowMs = 0; nowMs < 10_000; nowMs++) budget.takes(packet, '10.0.0.66', nowMs)
  expect(budget.takes(packet, '10.0.0.66', 10_000)).toBe(false)
  for (let node = 0; node < 250; node++)
    expect(budget.takes(announcement, `10.0.1.${node}`, 10_000)).toBe(true)
  expect(budget.takes(packet, '10.0.0.66', 11_000)).toBe(true)
})

test('packets that are too large, or about something else, are not looked at', () => {
  const budget = new PacketBudget(labelOf(MESH), 0)
  expect(budget.takes(pointers(60_000), '10.0.0.1', 0)).toBe(false)
  expect(budget.takes(new AnnouncementFormat('0123456789', 'x').question(), '10.0.0.1', 0)).toBe(false)
  expect(budget.takes(format.question(), '10.0.0.1', 0)).toBe(true)
})

const address = Object.values(networkInterfaces())
  .flat()
  .find((each) => each?.family === 'IPv4' && !each.internal)?.address

test.skipIf(address === undefined)(
  'libp2p hears announcements, and nothing of what is not looked at',
  async () => {
    const found = Promise.withResolvers<string>()
    const seen: number[] = []
    const budget = new PacketBudget(labelOf(MESH), performance.now())
    const takes = budget.takes.bind(budget)
    budget.takes = (packet, source, nowMs) => {
      if (packet.includes(labelOf(MESH))) seen.push(packet.length)
      return takes(packet, source, nowMs)
    }
    const before = createSocket
    const listener = announcementListener(serviceName(MESH), budget, ({ id }) => found.resolve(id))({
      peerId: { toString: () => ID },
      addressManager: { getAddresses: () => [] },
      logger: {
        forComponent: () => Object.assign(() => undefined, { error: () => undefined, trace: () => undefined })
      }
    } as unknown as Parameters<ReturnType<typeof announcementListener>>[0])
    await listener.start()
    expect(createSocket).toBe(before)
    const socket = createSocket('udp4')
    try {
      socket.bind(0, address)
      await once(socket, 'listening')
      const send = (packet: Buffer): void => socket.send(packet, 5353, address)
      send(pointers(20_000))
      send(announcement)
      expect(await found.promise).toBe(ID)
      expect(seen).toContain(announcement.length)
    } finally {
      socket.close()
      await listener.stop()
    }
  }
)
