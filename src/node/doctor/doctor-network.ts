/** What `dist-node doctor` finds out about who may get in: the port of multicast DNS, signs of a firewall. */
import { execFile } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { readHost } from '../../worker/host.ts'
import type { Finding } from './finding.ts'
import { MDNS_PORT } from './doctor-interfaces.ts'

const COMMAND_TIMEOUT_MS = 3_000

/** Programs share the port of multicast DNS, unless one keeps it for itself. */
export async function findPort(): Promise<Finding> {
  const check = `UDP port ${MDNS_PORT}`
  const socket = createSocket({ type: 'udp4', reuseAddr: true })
  try {
    socket.bind(MDNS_PORT)
    await once(socket, 'listening')
    return { check, status: 'ok', message: 'can be used for multicast DNS' }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return {
      check,
      status: 'problem',
      message: `cannot be used: ${code === 'EADDRINUSE' ? 'another program keeps it for itself' : (code ?? message)}`,
      advice: `find the program with: ss -lunp 'sport = :${MDNS_PORT}'; until then name peers with --peer`
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
