import type { NetworkInterfaceInfo } from 'node:os'
import { describe, expect, test } from 'vitest'
import { defaultListen, isLinkLocalOnly, lanInterfaces } from '../../src/node/network/lan-interfaces.ts'

function info(address: string, internal = false): NetworkInterfaceInfo {
  const family = address.includes(':') ? 'IPv6' : 'IPv4'
  return {
    address,
    family,
    internal,
    cidr: `${address}/64`,
    netmask: '',
    mac: '',
    scopeid: 0
  }
}

const lo = [info('127.0.0.1', true), info('::1', true)]

describe('by which addresses others reach a machine, and where it listens therefore', () => {
  test.each([
    { what: 'nothing', eth0: [], found: [], listen: 1, linkLocal: false },
    { what: 'IPv4', eth0: ['10.0.0.2'], found: ['10.0.0.2'], listen: 1, linkLocal: false },
    {
      what: 'both',
      eth0: ['fe80::1', 'fd00::2', '10.0.0.2'],
      found: ['10.0.0.2'],
      listen: 1,
      linkLocal: false
    },
    { what: 'IPv6', eth0: ['fe80::1', 'fd00::2'], found: ['fd00::2'], listen: 2, linkLocal: false },
    { what: 'link-local addresses', eth0: ['fe80::1'], found: [], listen: 1, linkLocal: true }
  ])('$what', ({ eth0, found, listen, linkLocal }) => {
    const all = { lo, eth0: eth0.map((address) => info(address)) }
    expect(lanInterfaces(all).map(({ address }) => address)).toEqual(found)
    expect(defaultListen(lanInterfaces(all))).toEqual(
      ['/ip4/0.0.0.0/tcp/0', '/ip6/::/tcp/0'].slice(0, listen)
    )
    expect(isLinkLocalOnly(all)).toBe(linkLocal)
  })
})
