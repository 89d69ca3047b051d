import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'

/** How other machines reach this one by one of its interfaces. */
export interface LanInterface {
  readonly name: string
  readonly family: 'IPv4' | 'IPv6'
  readonly address: string
  readonly cidr: string | null
}

/** Only good together with the name of an interface, which differs from machine to machine; libp2p does not dial them. */
const LINK_LOCAL = /^fe[89ab]/i

type Found = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>

/** Interfaces that others can reach, with an address of IPv4 where there is one, else of IPv6. */
export function lanInterfaces(found: Found = networkInterfaces()): LanInterface[] {
  return Object.entries(found).flatMap(([name, list = []]) => {
    const usable = list.filter(({ address, internal }) => !internal && !LINK_LOCAL.test(address))
    const best = usable.find(({ family }) => family === 'IPv4') ?? usable[0]
    return best === undefined ? [] : [{ name, family: best.family, address: best.address, cidr: best.cidr }]
  })
}

/** Whether there is a network with link-local addresses of IPv6 alone. */
export function isLinkLocalOnly(found: Found = networkInterfaces()): boolean {
  const addresses = Object.values(found).flatMap((list = []) => list.filter(({ internal }) => !internal))
  return addresses.length > 0 && addresses.every(({ address }) => LINK_LOCAL.test(address))
}

/** Where a node listens unless it is told: every address of IPv4, and of IPv6 where an interface has nothing else. */
export function defaultListen(interfaces: readonly LanInterface[] = lanInterfaces()): string[] {
  const needsIpv6 = interfaces.some(({ family }) => family === 'IPv6')
  return ['/ip4/0.0.0.0/tcp/0', ...(needsIpv6 ? ['/ip6/::/tcp/0'] : [])]
}
