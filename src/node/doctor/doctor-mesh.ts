/** What `dist-node doctor` finds in the mesh: who is there, who refuses, who is heard of but out of reach. */
import { setTimeout as elapsed } from 'node:timers/promises'
import type { AddressSource } from '../network/dial-target.ts'
import type { Finding } from './finding.ts'
import type { Unreachable } from '../network/dialler.ts'
import type { Refusal } from '../network/session-opener.ts'
import { createDistNode } from '../node.ts'
import type { PeerStatus } from '../node-events.ts'
import type { NodeOptions } from '../options.ts'

/** Joins the mesh, lending nothing, and tells what came of it. */
export async function* findMesh(
  options: NodeOptions,
  waitMs: number,
  signal: AbortSignal | undefined
): AsyncGenerator<Finding, void> {
  const node = await createDistNode({ ...options, slots: 0, start: false })
  try {
    const refusals = new Map<string, Refusal>()
    const unreachable = new Map<string, Unreachable>()
    node.on('peer-refused', (refusal) => refusals.set(`${refusal.code} ${host(refusal.address)}`, refusal))
    node.on('peer-unreachable', (peer) => unreachable.set(peer.id ?? peer.addresses.join(), peer))
    node.on('peer-joined', ({ id }) => unreachable.delete(id))
    await node.start()
    await elapsed(waitMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined)
    // Measures round trips of peers that came late.
    await node.whenSettled({ timeoutMs: 0 })
    yield describePeers(node.peers, node.mesh, waitMs)
    if (options.mdns !== false) yield* describeMulticast(node.peers)
    for (const refusal of refusals.values()) yield describeRefusal(refusal)
    yield* describeAllUnreachable([...unreachable.values()])
  } finally {
    await node.stop('the doctor has seen enough')
  }
}

function describePeers(peers: readonly PeerStatus[], mesh: string, waitMs: number): Finding {
  const check = 'peers'
  if (peers.length === 0) {
    return {
      check,
      status: 'warning',
      message: `nobody else of the mesh '${mesh}' answered within ${waitMs / 1_000} s`,
      advice:
        'run dist-node start on another machine with the same password; if it does not appear, run doctor there too, or name it here with --peer'
    }
  }
  const names = peers.map(
    ({ name, slots, rttMs }) => `${name} (${slots} slot${slots === 1 ? '' : 's'}, ${rttMs.toFixed(1)} ms)`
  )
  return { check, status: 'ok', message: `${peers.length} connected: ${names.toSorted().join(', ')}` }
}

/** Peers of other machines that were all heard of in other ways tell of a network that drops multicast. */
export function describeMulticast(peers: readonly Pick<PeerStatus, 'sources'>[]): Finding[] {
  const elsewhere = peers.filter(({ sources }) => sources.length > 0 && !sources.includes('same-host'))
  if (elsewhere.length === 0) return []
  const check = 'multicast'
  const heard = elsewhere.filter(({ sources }) => sources.includes('mdns')).length
  if (heard > 0) {
    return [{ check, status: 'ok', message: `${heard} of ${elsewhere.length} peers of other machines heard` }]
  }
  const ways = [...new Set(elsewhere.flatMap(({ sources }) => sources))].map((source) => SOURCES[source])
  return [
    {
      check,
      status: 'warning',
      message: `none of ${elsewhere.length} peers of other machines was heard by multicast, but ${ways.join(', ')}`,
      advice:
        'the network, or a firewall on its way, drops multicast (some Wi-Fi does): name one peer with --peer where nobody is found, the others follow'
    }
  ]
}

const REFUSAL_ADVICE: Readonly<Record<string, string>> = {
  WRONG_PASSWORD:
    'store the same password on both machines (dist-node join), or give one mesh another --mesh name',
  VERSION_MISMATCH: 'install the same version of dist-node on both machines',
  UNKNOWN_EPOCH:
    'the password was rotated: dist-node join with the line that rotate printed, on the machine left behind'
}

export function describeRefusal({ address, code, message }: Refusal): Finding {
  return {
    check: 'refused',
    status: 'problem',
    message: `${address}: ${message}`,
    advice: REFUSAL_ADVICE[code] ?? 'run dist-node doctor on that machine too'
  }
}

/** Peers of earlier days are often switched off; peers that announce themselves at this moment are not. */
export function describeAllUnreachable(peers: readonly Unreachable[]): Finding[] {
  const isPast = ({ sources }: Unreachable): boolean =>
    sources.every((source) => source === 'remembered' || source === 'exchange')
  const past = peers.filter(isPast)
  const findings = peers.filter((peer) => !isPast(peer)).map(describeUnreachable)
  if (past.length > 0) {
    const who = past.length === 1 ? 'one peer of earlier does' : `${past.length} peers of earlier do`
    findings.push({ check: 'unreachable', status: 'ok', message: `${who} not answer; perhaps switched off` })
  }
  return findings
}

const SOURCES: Readonly<Record<AddressSource, string>> = {
  user: 'named with --peer',
  'same-host': 'a node of yours on this machine',
  mdns: 'heard by multicast',
  remembered: 'known from earlier',
  exchange: 'told by a peer'
}

function describeUnreachable({ id, addresses, sources, error }: Unreachable): Finding {
  const who = id === undefined ? addresses.join(', ') : `…${id.slice(-6)} at ${addresses.join(', ')}`
  const how = sources.map((source) => SOURCES[source]).join(', ')
  const { reason, advice } = explainDialFailure(error)
  const status = sources.includes('user') ? 'problem' : 'warning'
  return {
    check: 'unreachable',
    status,
    message: `${who}, ${how}: ${reason}`,
    advice
  }
}

/** The deepest cause that has a meaning for a user, and what to do about it. */
export function explainDialFailure(error: unknown): { reason: string; advice: string } {
  const errors = flatten(error)
  const has = (...words: string[]): boolean =>
    errors.some(({ name, message, code }) =>
      words.some((word) => `${name} ${String(code)} ${message}`.includes(word))
    )
  if (has('PEER_BUSY')) {
    return {
      reason: 'it turns this machine away for now: too many tries or wrong passwords lately',
      advice: 'look for a node with another password on this machine, and try again in some minutes'
    }
  }
  if (has('ECONNREFUSED')) {
    return {
      reason: 'nothing listens at that port any more',
      advice: 'the node there has ended or just restarted; look again, or start it'
    }
  }
  if (has('EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL')) {
    return { reason: 'there is no way to that network', advice: 'bring both machines into one network' }
  }
  if (has('Timeout', 'timed out', 'ETIMEDOUT', 'AbortError', 'aborted')) {
    return {
      reason: 'the connection was not answered',
      advice:
        'a firewall there drops it (let TCP in, or fix the port with --listen /ip4/0.0.0.0/tcp/4001), or the network keeps its clients apart (guest Wi-Fi)'
    }
  }
  if (has('EncryptionFailed', 'Unexpected', 'protocol', 'ECONNRESET', 'closed')) {
    return {
      reason: 'something answered that does not speak the protocol, or hung up',
      advice:
        'check the address and the version there; after wrong passwords it hangs up on this machine for some minutes'
    }
  }
  const [last] = errors.slice(-1)
  return { reason: last?.message ?? String(error), advice: 'run dist-node doctor on that machine too' }
}

function flatten(error: unknown, depth = 0): (Error & { code?: unknown })[] {
  if (!(error instanceof Error) || depth > 4) return []
  const inner = error instanceof AggregateError ? error.errors : []
  return [error, ...[...inner, error.cause].flatMap((each) => flatten(each, depth + 1))]
}

function host(address: string): string {
  return address.split('/').slice(0, 3).join('/')
}
