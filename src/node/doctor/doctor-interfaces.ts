/** What `dist-node doctor` finds out about the ways to other machines: interfaces, and multicast on each. */
import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { isLinkLocalOnly, type LanInterface, lanInterfaces } from '../network/lan-interfaces.ts'
import { isOwnIp } from '../network/local-addresses.ts'
import type { Finding } from './finding.ts'

/** RFC 6762, section 3. */
export const MDNS_PORT = 5353
const GROUPS = { IPv4: '224.0.0.251', IPv6: 'ff02::fb' } as const

/** A question that every responder of multicast DNS answers: which services there are (RFC 6763, section 9). */
const WHICH_SERVICES = '_services._dns-sd._udp.local'

/** Our own packet is back within a millisecond; the answers of others take their time (RFC 6762, section 6). */
const MULTICAST_WAIT_MS = 700

/** Interfaces that lead to containers, virtual machines or tunnels rather than to a LAN. */
const VIRTUAL =
  /^(docker|br-|veth|virbr|vnet|vmnet|vboxnet|lxc|lxd|cni|flannel|cali|podman|tailscale|wg|tun|tap|utun|zt|ifb)/

export async function* findInterfaces(mdns: boolean): AsyncGenerator<Finding, void> {
  const found = lanInterfaces()
  if (found.length === 0) {
    yield {
      check: 'interfaces',
      status: 'warning',
      message: isLinkLocalOnly()
        ? 'the network has link-local addresses of IPv6 alone, by which nodes do not find one another'
        : 'there is no network, so only nodes on this machine can be found',
      advice: isLinkLocalOnly()
        ? 'give the machines addresses: of IPv4, or of IPv6 that begin with fd (unique local addresses)'
        : 'connect this machine to the network of the others'
    }
    return
  }
  const tests = mdns ? await Promise.all(found.map((each) => testMulticast(each))) : []
  for (const [at, { name, cidr, address }] of found.entries()) {
    yield describeInterface(`interface ${name}`, cidr ?? address, tests[at])
  }
}

interface MulticastTest {
  /** Our own packet came back. */
  readonly returned: boolean
  /** Other machines that were heard. */
  readonly heard: number
  readonly error?: string
}

export function describeInterface(check: string, address: string, test: MulticastTest | undefined): Finding {
  const virtual = VIRTUAL.test(check.replace('interface ', ''))
  const what = `${address}${virtual ? ', virtual' : ''}: peers may connect here`
  if (test === undefined) return { check, status: 'ok', message: `${what}; multicast DNS is switched off` }
  if (!test.returned) {
    return {
      check,
      status: virtual ? 'ok' : 'warning',
      message: `${what}; multicast does not work: ${test.error ?? 'what was sent did not come back'}`,
      // Who has the port is told by the check of the port.
      ...(virtual || test.error === 'EADDRINUSE'
        ? {}
        : { advice: 'let UDP port 5353 in and out in the firewall, or name peers with --peer' })
    }
  }
  // What this machine sends itself says nothing of the network; the silence of others not much.
  const heard =
    test.heard === 0
      ? 'goes out; nothing of other machines was heard meanwhile'
      : `goes out and comes in, ${test.heard} other machine${test.heard === 1 ? '' : 's'} heard`
  return { check, status: 'ok', message: `${what}; multicast ${heard}` }
}

/** Sends a question of our own on one interface and waits for it to come back, and for answers of others. */
async function testMulticast({ name: card, family, address }: LanInterface): Promise<MulticastTest> {
  const type = family === 'IPv4' ? 'udp4' : 'udp6'
  const socket = createSocket({ type, reuseAddr: true, ipv6Only: family === 'IPv6' })
  const group = GROUPS[family]
  // An interface is called by an address of IPv4, or a zone of IPv6.
  const handle = family === 'IPv4' ? address : `::%${card}`
  const token = randomBytes(8).toString('hex')
  const heard = new Set<string>()
  let returned = false
  try {
    socket.bind(MDNS_PORT)
    await once(socket, 'listening')
    socket.addMembership(group, handle)
    socket.setMulticastInterface(handle)
    socket.setMulticastLoopback(true)
    socket.setMulticastTTL(255)
    socket.on('message', (packet, { address: from }) => {
      if (packet.includes(token)) returned = true
      else if (!isOwnIp(from.replace(/%.*/, ''))) heard.add(from)
    })
    for (const name of [`_dn-${token}._udp.local`, WHICH_SERVICES]) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      socket.send(question(name), MDNS_PORT, group, (error) => (error ? reject(error) : resolve()))
      await promise
    }
    const { promise, resolve } = Promise.withResolvers<void>()
    setTimeout(resolve, MULTICAST_WAIT_MS)
    await promise
    return { returned, heard: heard.size }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return { returned: false, heard: 0, error: code ?? message }
  } finally {
    socket.close()
  }
}

/** A question for PTR records in class IN: header, name as labels, type, class (RFC 1035, section 4.1). */
export function question(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label, 'latin1')]))
  const header = Buffer.from([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0])
  return Buffer.concat([header, ...labels, Buffer.from([0, 0, 12, 0, 1])])
}
