import { AUTHORITATIVE_ANSWER, decode, encode } from 'dns-packet'
import { expect, test } from 'vitest'
import { AnnouncementFormat } from '../../src/node/network/announcement.ts'

const MESH = '0123456789abcdef'
const SERVICE = '_dist-node-01234567._udp.local'
const ID = '12D3KooWGrcbVXWgtgLRG55qYpM7oGCsP5Qcj6oZGmkyyrqzzGsw'
const here = new AnnouncementFormat(MESH, 'here')
const there = new AnnouncementFormat(MESH, 'there')

test('a question is one of DNS for the service of the mesh, and is told from those for others', () => {
  const { type, questions } = decode(here.question())
  expect([type, questions]).toEqual(['query', [expect.objectContaining({ name: SERVICE, type: 'PTR' })]])
  expect(there.read(here.question())).toBe('question')
  expect(new AnnouncementFormat('fedcba98', 'other').read(here.question())).toBeUndefined()
})

test('an announcement says where a peer is, in the records of libp2p', () => {
  const addresses = [`/ip4/10.0.0.2/tcp/4001/p2p/${ID}`, `/ip6/fd00::2/tcp/4001/p2p/${ID}`]
  const packet = here.announcement(addresses)
  const { answers } = decode(packet)
  expect(answers?.map(({ name, type }) => `${type} ${name}`)).toEqual([
    `PTR ${SERVICE}`,
    `TXT here.${SERVICE}`,
    `TXT here.${SERVICE}`
  ])
  expect(there.read(packet)).toEqual({
    id: ID,
    addresses: ['/ip4/10.0.0.2/tcp/4001', '/ip6/fd00::2/tcp/4001']
  })
})

test('records in the additional section count, addresses of a second peer and without one do not', () => {
  const text = (data: string) => ({ name: `x.${SERVICE}`, type: 'TXT', data }) as const
  const packet = encode({
    type: 'response',
    flags: AUTHORITATIVE_ANSWER,
    answers: [{ name: SERVICE, type: 'PTR', data: `x.${SERVICE}` }],
    additionals: [
      text(`dnsaddr=/ip4/10.0.0.2/tcp/1/p2p/${ID}`),
      text('dnsaddr=/ip4/10.0.0.3/tcp/1/p2p/somebodyElse'),
      text('dnsaddr=/ip4/10.0.0.4/tcp/1'),
      text('colour=blue')
    ]
  })
  expect(here.read(packet)).toEqual({ id: ID, addresses: ['/ip4/10.0.0.2/tcp/1'] })
})

test('packets of others, cut and damaged ones mean nothing', () => {
  const packet = here.announcement([`/ip4/10.0.0.2/tcp/4001/p2p/${ID}`])
  expect(here.read(Buffer.alloc(0))).toBeUndefined()
  expect(
    here.read(encode({ type: 'query', questions: [{ name: '_ipp._tcp.local', type: 'PTR' }] }))
  ).toBeUndefined()
  for (let length = 0; length < packet.byteLength; length++) {
    expect(() => here.read(packet.subarray(0, length))).not.toThrow()
  }
})

test('an address too long for a record is left out', () => {
  const long = `/dns4/${'a'.repeat(300)}/tcp/1/p2p/${ID}`
  expect(there.read(here.announcement([long, `/ip4/10.0.0.2/tcp/1/p2p/${ID}`]))).toEqual({
    id: ID,
    addresses: ['/ip4/10.0.0.2/tcp/1']
  })
})
