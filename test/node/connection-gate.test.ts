import { describe, expect, test } from 'vitest'
import { ConnectionGate, GATE_LIMITS } from '../../src/node/network/connection-gate.ts'
import {
  isLoopbackIp,
  isOnOwnSubnet,
  isPrivateIp,
  parseTcpAddress
} from '../../src/node/network/local-addresses.ts'

function makeGate(options: { typedPeers?: string[]; listen?: string[] } = {}): ConnectionGate {
  return new ConnectionGate({ typedPeers: [], listen: ['/ip4/0.0.0.0/tcp/0'], ...options })
}

function countAdmitted(gate: ConnectionGate, tries: number, address: (n: number) => string): number {
  return Array.from({ length: tries }, (_, n) => gate.admit(address(n))).filter(Boolean).length
}

describe('connections that come in', () => {
  test('of one address only a few may be unproven at once, whatever their ports', () => {
    const gate = makeGate()
    const admitted = countAdmitted(gate, 100, (n) => `/ip4/192.168.1.66/tcp/${2_000 + n}`)
    expect(admitted).toBe(GATE_LIMITS.unprovenPerAddress)
    expect(gate.admit('/ip4/192.168.1.7/tcp/2000')).toBe(true)
  })

  test('those that prove the password or close make room', () => {
    const gate = makeGate()
    const address = (n: number): string => `/ip4/10.0.0.1/tcp/${2_000 + n}`
    countAdmitted(gate, 8, address)
    expect(gate.admit(address(8))).toBe(false)
    gate.onProven(address(0))
    gate.onClosed(address(0))
    expect(gate.admit(address(8))).toBe(true)
    expect(gate.admit(address(9))).toBe(false)
    gate.onClosed(address(1))
    expect(gate.admit(address(9))).toBe(true)
    for (let n = 0; n < 20; n++) gate.onClosed(address(n))
    expect(gate.unproven).toBe(0)
  })

  test('an IPv6 network counts as one address', () => {
    const gate = makeGate()
    const admitted = countAdmitted(gate, 100, (n) => `/ip6/fd00::${n.toString(16)}/tcp/4001`)
    expect(admitted).toBe(GATE_LIMITS.unprovenPerAddress)
  })

  test('many addresses together fill the room for strangers and no more', () => {
    const gate = makeGate()
    const admitted = countAdmitted(gate, 1_000, (n) => `/ip4/10.0.${n >> 8}.${n & 255}/tcp/4001`)
    expect(admitted).toBe(GATE_LIMITS.unprovenTotal)
  })

  test.each([
    ['/ip4/8.8.8.8/tcp/4001', false],
    ['/ip6/2001:4860:4860::8888/tcp/4001', false],
    ['/ip4/192.168.1.1/tcp/4001', true],
    ['/ip6/fe80::1/tcp/4001', true],
    ['/ip4/127.0.0.1/tcp/4001', true],
    ['/unix/tmp/socket', false]
  ])('from %s: %s', (address, admitted) => {
    expect(makeGate().admit(address)).toBe(admitted)
  })

  test('public addresses come in when the owner listens on one', () => {
    expect(makeGate({ listen: ['/ip4/203.0.113.5/tcp/4001'] }).admit('/ip4/8.8.8.8/tcp/9')).toBe(true)
  })
})

describe('addresses to dial', () => {
  const gate = makeGate({
    typedPeers: ['/ip4/203.0.113.5/tcp/80', '/dns4/node.example/tcp/4001/p2p/12D3KooW']
  })
  test.each([
    ['a LAN address', '/ip4/192.168.1.20/tcp/4001', true],
    ['with a peer id', '/ip4/10.1.2.3/tcp/4001/p2p/12D3KooW', true],
    ['loopback', '/ip4/127.0.0.1/tcp/4001', true],
    ['what the user typed', '/ip4/203.0.113.5/tcp/80', true],
    ['what the user typed, with an id', '/dns4/node.example/tcp/4001', true],
    ['a public address', '/ip4/8.8.8.8/tcp/4001', false],
    ['a service of the system', '/ip4/192.168.1.1/tcp/22', false],
    ['a name', '/dns4/evil.example/tcp/4001', false],
    ['a relay', '/ip4/192.168.1.20/tcp/4001/p2p/12D3KooW/p2p-circuit', false],
    ['UDP', '/ip4/192.168.1.20/udp/4001/quic-v1', false],
    ['a websocket', '/ip4/192.168.1.20/tcp/4001/ws', false],
    ['nonsense', '/ip4/999.1.1.1/tcp/4001', false],
    ['a port out of range', '/ip4/192.168.1.20/tcp/70000', false]
  ])('%s', (_, address, may) => {
    expect(gate.mayDial(address)).toBe(may)
  })
})

test('addresses are told apart', () => {
  expect(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', '10.0.0.1'].map(isLoopbackIp)).toEqual([
    true,
    true,
    true,
    true,
    false
  ])
  expect(
    ['10.0.0.1', '172.32.0.1', '169.254.1.1', '100.64.0.1', 'fd00::1', 'fe80::1%eth0', '8.8.8.8', 'x'].map(
      isPrivateIp
    )
  ).toEqual([true, false, true, true, true, true, false, false])
  expect(isOnOwnSubnet('127.0.0.1')).toBe(true)
  expect(isOnOwnSubnet('203.0.113.77')).toBe(false)
  expect(parseTcpAddress('/ip6/::1/tcp/4001/p2p/12D3KooW')).toEqual({ ip: '::1', port: 4001 })
})
