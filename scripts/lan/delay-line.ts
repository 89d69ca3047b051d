/**
 * Slow cables for kernels built without `netem`: frames of a slow port leave the switch through a VXLAN tunnel to a
 * small machine beside it, where a relay holds each for its time and sends it back through a second tunnel.
 *
 *     host -- port -- wire bridge -- inner tunnel ==> relay ==> outer tunnel -- the switch's other ports
 *
 * Good for some thousand packets a second; far slower than netem, and the same to the hosts.
 */
import { HostProcess } from './host-process.ts'
import { Machine } from './machine.ts'

const SWITCH_ADDRESS = '192.0.2.1'
const RELAY_ADDRESS = '192.0.2.2'

/** Longest a new delay takes to hold; the first one starts Node. */
const RELAY_TIMEOUT_MS = 15_000

/** UDP ports of one slow port: where its tunnels listen, at the switch and, with the same numbers, at the relay. */
export const innerPort = (port: number): number => 20_000 + 2 * port
export const outerPort = (port: number): number => 20_001 + 2 * port

export class DelayLine {
  readonly #switchMachine: Machine
  readonly #wired = new Set<number>()
  #relay: Promise<HostProcess> | undefined

  constructor(switchMachine: Machine) {
    this.#switchMachine = switchMachine
  }

  /** The bridge a slow port's cable goes to. */
  bridge(port: number): string {
    return `wire${port}`
  }

  /** The end of the line that takes the place of the port on the switch's bridge; none before the first delay. */
  outerEnd(port: number): string | undefined {
    return this.#wired.has(port) ? `outer${port}` : undefined
  }

  async set(port: number, delayMs: number, jitterMs: number): Promise<void> {
    this.#relay ??= this.#startRelay()
    const relay = await this.#relay
    const from = relay.stdout.length
    relay.stdin.write(`${JSON.stringify({ port, delayMs, jitterMs })}\n`)
    await relay.waitForLine(`port ${port} delayed`, { from, timeoutMs: RELAY_TIMEOUT_MS })
    if (!this.#wired.has(port)) await this.#wire(port)
  }

  async #startRelay(): Promise<HostProcess> {
    const machine = await Machine.boot({ name: 'relay', inside: this.#switchMachine })
    // The tunnels' frames are larger than the hosts' and must arrive one by one, not in bundles of the kernel's.
    await this.#switchMachine.configure('ip', [
      `link add name trunk mtu 9000 type veth peer name trunk mtu 9000 netns ${machine.pid}`,
      'link set dev trunk gso_max_segs 1 up',
      `address add ${SWITCH_ADDRESS}/30 dev trunk`
    ])
    await machine.configure('ip', ['link set dev trunk up', `address add ${RELAY_ADDRESS}/30 dev trunk`])
    const relay = {
      file: process.execPath,
      args: [new URL('delay-relay.ts', import.meta.url).pathname, SWITCH_ADDRESS]
    }
    return await HostProcess.start(machine.launch(relay, '/'), 'delay relay', process.env)
  }

  async #wire(port: number): Promise<void> {
    const ends = [
      { name: `inner${port}`, listens: innerPort(port) },
      { name: `outer${port}`, listens: outerPort(port) }
    ]
    const tunnels = ends.flatMap(({ name, listens }) => [
      `link add name ${name} mtu 1500 type vxlan id 1 local ${SWITCH_ADDRESS} dstport ${listens} nolearning`,
      `link set dev ${name} up`
    ])
    await this.#switchMachine.configure('ip', [
      `link add name ${this.bridge(port)} type bridge forward_delay 0 mcast_snooping 0`,
      ...tunnels,
      `link set dev inner${port} master ${this.bridge(port)}`,
      `link set dev ${this.bridge(port)} up`
    ])
    const ways = ends.map(({ name }) => `fdb append 00:00:00:00:00:00 dev ${name} dst ${RELAY_ADDRESS}`)
    await this.#switchMachine.configure('bridge', ways)
    this.#wired.add(port)
  }
}
