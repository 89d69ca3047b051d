import type { SandboxLevel } from '../../../src/worker/level.ts'

/**
 * What attacks get at a level when only the kernel and Node's permission model stand in their way, as SECURITY.md says.
 * With our reduced modules on top, nothing of it is left.
 */
export function residueOf(level: SandboxLevel, nodeMajor: number): ReadonlySet<string> {
  const names = level === 'permission' ? [...PERMISSION] : []
  if (nodeMajor < 25) names.push(...(level === 'permission' ? OPEN_NETWORK : OWN_NETWORK))
  return new Set(names)
}

/** Sockets of the child's own, empty network namespace: nobody can be reached by them. */
const OWN_NETWORK = ['listening on a TCP port', 'binding a UDP port']

/** Before Node 25 the permission model does not know the network. */
const OPEN_NETWORK = [
  ...OWN_NETWORK,
  'TCP to a service on localhost',
  'UDP to a service on localhost',
  'looking up a name',
  'asking a DNS server',
  'a unix socket of the parent',
  'an abstract unix socket of the parent',
  'listening on a unix socket',
  'fetch',
  'http.get',
  'http2.connect',
  'handles of the event loop'
]

/** Where the node runs as root, jobs run as nobody, and only the last two are left. */
const PERMISSION = [
  'sqlite reads a database of the user',
  'sqlite attaches a database of the user',
  'a signal to the parent',
  'a signal to every process',
  'the inspector of the parent by signal',
  'the priority of the parent',
  'the name of the machine’s user',
  'addresses of this machine'
]
