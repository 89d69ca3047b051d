/** What this computer, its kernel and its user allow the laboratory to do; found out by doing it. */
import { spawnSync } from 'node:child_process'
import { isRoot, NAME_MACHINE, unshare } from './machine.ts'

const PROBE_TIMEOUT_MS = 15_000

// Runs in a machine of its own that ends with it: everything a laboratory needs, once.
const ESSENTIALS = `set probe && ${NAME_MACHINE} &&
  ip link add name probe0 type bridge &&
  ip link add name probe1 type veth peer name probe2 &&
  tc qdisc add dev probe1 clsact &&
  tc filter add dev probe1 egress protocol all pref 1 handle 1 bpf direct-action bytecode "1,6 0 0 2" &&
  nsenter --target $$ --net true && env --ignore-signal=CHLD true`

let answer: { missing: string | undefined } | undefined

/**
 * Why the laboratory cannot run here, and what would help; undefined when it can.
 *
 * @example
 * describe.skipIf(missingRights())(…)
 */
export function missingRights(): string | undefined {
  answer ??= { missing: probe() }
  return answer.missing
}

function probe(): string | undefined {
  if (process.platform !== 'linux')
    return `the laboratory needs Linux network namespaces, and this is ${process.platform}`
  for (const tool of ['unshare', 'nsenter', 'ip', 'tc', 'bridge']) {
    const found = spawnSync(tool, [tool === 'unshare' || tool === 'nsenter' ? '--version' : '-V'])
    if (found.error) return `the laboratory needs the command ${tool} (packages util-linux and iproute2)`
  }
  const result = inProbe(ESSENTIALS)
  if (result === undefined) return undefined
  const help = isRoot()
    ? 'root in a container needs the capability SYS_ADMIN (docker run --privileged)'
    : 'become root, or let users make user namespaces (sysctl kernel.unprivileged_userns_clone=1, ' +
      'kernel.apparmor_restrict_unprivileged_userns=0)'
  return `the laboratory may not make network namespaces: ${result}; ${help}`
}

let delays: boolean | undefined

/** True when the kernel has `netem` and can delay packets by itself. */
export function kernelDelays(): boolean {
  delays ??=
    inProbe(
      'ip link add name probe1 type veth peer name probe2 && tc qdisc add dev probe1 root netem delay 1ms'
    ) === undefined
  return delays
}

/** What the kernel here lacks, a sentence for each; tests that need it can be skipped with that. */
export function missingFeatures(): { rate: string | undefined; delay: string | undefined } {
  const veth = 'ip link add name probe1 type veth peer name probe2'
  const rate = inProbe(`${veth} && tc qdisc add dev probe1 root tbf rate 1mbit burst 32kb latency 200ms`)
  const tunnel = 'ip link add name probe1 type vxlan id 1 local 127.0.0.1 dstport 20000 nolearning'
  const delay = kernelDelays() ? undefined : inProbe(tunnel)
  return {
    rate: rate && `this kernel cannot limit bandwidth (no tbf): ${rate}`,
    delay: delay && `this kernel cannot delay packets (neither netem nor vxlan): ${delay}`
  }
}

/** What went wrong, or undefined when the script succeeded in a new machine. */
function inProbe(script: string): string | undefined {
  const { file, args } = unshare(['sh', '-c', script], true)
  const result = spawnSync(file, args, { encoding: 'utf8', timeout: PROBE_TIMEOUT_MS })
  if (result.status === 0) return undefined
  return result.stderr.trim().replaceAll('\n', '; ') || result.error?.message || `exit code ${result.status}`
}
