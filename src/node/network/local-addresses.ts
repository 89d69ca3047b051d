import { BlockList, isIP } from 'node:net'
import { networkInterfaces } from 'node:os'

// Which addresses belong to a LAN. What a stranger announces must not make this node knock on doors elsewhere, and a
// machine with a public address must not answer the whole internet.

/** Interfaces come and go (Wi-Fi, VPN), but not from one packet to the next. */
const FRESH_MS = 5_000

const LOOPBACK = blockList(['127.0.0.0/8', '::1/128'])
const PRIVATE = blockList([
  '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', '100.64.0.0/10', 'fc00::/7', 'fe80::/10'
]) // prettier-ignore

/** Whether the address stands for this machine itself. */
export function isLoopbackIp(ip: string): boolean {
  return contains(LOOPBACK, ip)
}

/** Whether the address is one of those that routers of the internet do not carry (RFC 1918, 3927, 4193, 6598). */
export function isPrivateIp(ip: string): boolean {
  return contains(PRIVATE, ip)
}

/** Asking the system takes longer than a handshake's arithmetic, and is done for each of many. */
let own:
  | { readonly ips: ReadonlySet<string>; readonly subnets: BlockList; readonly readMs: number }
  | undefined

function ownAddresses(nowMs: number): NonNullable<typeof own> {
  if (own !== undefined && nowMs - own.readMs <= FRESH_MS) return own
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  // An interface with all of the address space (some VPNs) would let everything through.
  const cidrs = all.flatMap(({ cidr }) => (cidr === null || cidr.endsWith('/0') ? [] : [cidr]))
  own = { ips: new Set(all.map(({ address }) => address)), subnets: blockList(cidrs), readMs: nowMs }
  return own
}

/** Whether one of this machine's interfaces reaches the address without a router. */
export function isOnOwnSubnet(ip: string, nowMs: number = performance.now()): boolean {
  return contains(ownAddresses(nowMs).subnets, ip)
}

/** Whether the address is one of this machine's own. */
export function isOwnIp(ip: string, nowMs: number = performance.now()): boolean {
  return isLoopbackIp(ip) || ownAddresses(nowMs).ips.has(ip)
}

/** `/ip4/192.168.1.20/tcp/4001`, perhaps with `/p2p/…`: the two forms of address that nodes listen on. */
export function parseTcpAddress(multiaddr: string): { ip: string; port: number } | undefined {
  const [, ip = '', port = ''] = /^\/ip[46]\/([^/]+)\/tcp\/(\d{1,5})(?:\/p2p\/[^/]+)?$/.exec(multiaddr) ?? []
  if (isIP(ip) === 0 || Number(port) > 0xffff) return undefined
  return { ip, port: Number(port) }
}

function contains(list: BlockList, ip: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1]
  const [address = ''] = (mapped ?? ip).split('%')
  const family = isIP(address)
  return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4')
}

function blockList(cidrs: readonly string[]): BlockList {
  const list = new BlockList()
  for (const cidr of cidrs) {
    const [address = '', prefix = ''] = cidr.split('/')
    // Not isIP: this runs at every start, and the first use of its pattern takes half as long as Node takes to start.
    list.addSubnet(address, Number(prefix), address.includes(':') ? 'ipv6' : 'ipv4')
  }
  return list
}
