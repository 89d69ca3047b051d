/** What `dist-node doctor` finds on the network: interfaces, multicast on each, the mDNS port, signs of a firewall. */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { promisify } from 'node:util'
import { readHost } from '../../worker/host.ts'
import type { Finding } from './doctor.ts'
import { isOwnIp } from '../network/local-addresses.ts'

/** RFC 6762, section 3. */
const MDNS = { port: 5353, group: '224.0.0.251' } as const

/** A question that every responder of multicast DNS answers: which services there are (RFC 6763, section 9). */
const WHICH_SERVICES = '_services._dns-sd._udp.local'

/** Our own packet is back within a millisecond; the answers of others take their time (RFC 6762, section 6). */
const MULTICAST_WAIT_MS = 700

const COMMAND_TIMEOUT_MS = 3_000

/** Interfaces that lead to containers, virtual machines or tunnels rather than to a LAN. */
const VIRTUAL =
  /^(docker|br-|veth|virbr|vnet|vmnet|vboxnet|lxc|lxd|cni|flannel|cali|podman|tailscale|wg|tun|tap|utun|zt|ifb)/

export async function* findInterfaces(mdns: boolean): AsyncGenerator<Finding, void> {
  const found = usableInterfaces()
  if (found.length === 0) {
    yield {
      check: 'interfaces',
      status: 'warning',
      message: 'there is no network, so only nodes on this machine can be found',
      advice: 'connect this machine to the network of the others'
    }
    return
  }
  const tests = mdns ? await Promise.all(found.map(({ address }) => testMulticast(address))) : []
  for (const [at, { name, cidr, address }] of found.entries()) {
    yield describeInterface(`interface ${name}`, cidr ?? address, tests[at])
  }
}

interface UsableInterface {
  readonly name: string
  readonly address: string
  readonly cidr: string | null
}

/** Nodes listen on all of these. The first IPv4 address of each: a group can be joined once per interface. */
function usableInterfaces(): UsableInterface[] {
  return Object.entries(networkInterfaces()).flatMap(([name, list]) => {
    const first = list?.find(({ family, internal }) => family === 'IPv4' && !internal)
    return first === undefined ? [] : [{ name, ...first }]
  })
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
  const others = test.heard > 0 ? `, ${test.heard} other machine${test.heard === 1 ? '' : 's'} heard` : ''
  return { check, status: 'ok', message: `${what}; multicast goes out and comes in${others}` }
}

/** Sends a question of our own on one interface and waits for it to come back, and for answers of others. */
async function testMulticast(address: string): Promise<MulticastTest> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true })
  const token = randomBytes(8).toString('hex')
  const heard = new Set<string>()
  let returned = false
  try {
    await bind(socket)
    socket.addMembership(MDNS.group, address)
    socket.setMulticastInterface(address)
    socket.setMulticastLoopback(true)
    socket.setMulticastTTL(255)
    socket.on('message', (packet, { address: from }) => {
      if (packet.includes(token)) returned = true
      else if (!isOwnIp(from)) heard.add(from)
    })
    for (const name of [`_dn-${token}._udp.local`, WHICH_SERVICES]) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      socket.send(question(name), MDNS.port, MDNS.group, (error) => (error ? reject(error) : resolve()))
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

async function bind(socket: Socket): Promise<void> {
  socket.bind(MDNS.port)
  await once(socket, 'listening')
}

/** A question for PTR records in class IN: header, name as labels, type, class (RFC 1035, section 4.1). */
export function question(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label, 'latin1')]))
  const header = Buffer.from([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0])
  return Buffer.concat([header, ...labels, Buffer.from([0, 0, 12, 0, 1])])
}

/** Programs share the port of multicast DNS, unless one keeps it for itself. */
export async function findPort(): Promise<Finding> {
  const check = `UDP port ${MDNS.port}`
  const socket = createSocket({ type: 'udp4', reuseAddr: true })
  try {
    await bind(socket)
    return { check, status: 'ok', message: 'can be used for multicast DNS' }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return {
      check,
      status: 'problem',
      message: `cannot be used: ${code === 'EADDRINUSE' ? 'another program keeps it for itself' : (code ?? message)}`,
      advice: `find the program with: ss -lunp 'sport = :${MDNS.port}'; until then name peers with --peer`
    }
  } finally {
    socket.close()
  }
}

export interface FirewallSigns {
  /** Output of `nft list ruleset`, where it could be read. */
  readonly nft?: string | undefined
  /** Output of `iptables -S INPUT`, where it could be read. */
  readonly iptables?: string | undefined
  /** `/etc/ufw/ufw.conf`. */
  readonly ufw?: string | undefined
  /** State of firewalld: `running`. */
  readonly firewalld?: string | undefined
}

/** Signs only: what a firewall does can be known for sure at the other end alone. */
export async function findFirewall(): Promise<Finding> {
  if (process.platform !== 'linux') {
    return { check: 'firewall', status: 'ok', message: 'not looked at on this system' }
  }
  const [nft, iptables, ufw, firewalld] = await Promise.all([
    output('nft', ['list', 'ruleset']),
    output('iptables', ['-w', '-S', 'INPUT']),
    readFile('/etc/ufw/ufw.conf', 'utf8').catch(() => undefined),
    output('firewall-cmd', ['--state'])
  ])
  return describeFirewall({ nft, iptables, ufw, firewalld })
}

export function describeFirewall({ nft, iptables, ufw, firewalld }: FirewallSigns): Finding {
  const check = 'firewall'
  const signs: string[] = []
  if (/^ENABLED=yes/m.test(ufw ?? '')) signs.push('ufw is on')
  if (firewalld?.trim() === 'running') signs.push('firewalld is on')
  const chains = nft?.match(/chain \S+ \{[\s\S]*?\n\s*\}/g) ?? []
  if (chains.some((chain) => chain.includes('hook input') && /\b(drop|reject)\b/.test(chain))) {
    signs.push('nftables drops some of what comes in')
  }
  if (/^-P INPUT DROP|^-A INPUT .*-j (DROP|REJECT)/m.test(iptables ?? '')) {
    signs.push('iptables drops some of what comes in')
  }
  if (signs.length > 0) {
    return {
      check,
      status: 'warning',
      message: signs.join('; '),
      advice:
        'let in UDP port 5353 and a TCP port of your choice, and start with --listen /ip4/0.0.0.0/tcp/PORT; nodes that let nobody in still reach others'
    }
  }
  const unread = nft === undefined && iptables === undefined
  const message = unread
    ? 'no sign of one; rules could not be read (that takes root, and nft or iptables)'
    : 'none that keeps anything out'
  return { check, status: 'ok', message }
}

async function output(program: string, args: readonly string[]): Promise<string | undefined> {
  const file = readHost().find(program)
  if (file === undefined) return undefined
  try {
    const { stdout } = await promisify(execFile)(file, [...args], { timeout: COMMAND_TIMEOUT_MS })
    return stdout
  } catch {
    return undefined
  }
}
