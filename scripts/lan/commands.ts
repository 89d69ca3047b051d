/** What people can do to a running laboratory from the command line; each runs in the process that owns it. */
import type { Host } from './host.ts'
import type { Lab } from './lab.ts'
import { startNode } from './nodes.ts'

export interface LabCommand {
  readonly usage: string
  readonly about: string
  /** Fewest arguments. @default 0 */
  readonly min?: number
  /** @returns text to show, if any */
  run(lab: Lab, args: readonly string[]): Promise<string | void>
}

/** The hosts named, or all when none is. */
function hostsOf(lab: Lab, names: readonly string[]): Host[] {
  return names.length === 0 ? [...lab.hosts] : names.map((name) => lab.host(name))
}

/** @throws RangeError when it is not a number from 0 up */
function numberOf(what: string, text: string | undefined): number {
  const value = Number(text ?? '')
  if (text === undefined || !Number.isFinite(value) || value < 0) {
    throw new RangeError(`${what}: expected a number from 0 up, got ${text ?? 'nothing'}`)
  }
  return value
}

function isOn(text: string | undefined): boolean {
  if (text !== 'on' && text !== 'off') throw new RangeError(`expected on or off, got ${text ?? 'nothing'}`)
  return text === 'on'
}

const each = async (hosts: readonly Host[], act: (host: Host) => Promise<void>): Promise<void> => {
  await Promise.all(hosts.map(act))
}

export const LAB_COMMANDS: Readonly<Record<string, LabCommand>> = {
  list: {
    usage: 'list',
    about: 'hosts, addresses and what is wrong with their cables',
    run: async (lab) => lab.hosts.map(describeHost).join('\n')
  },
  add: {
    usage: 'add [NAME]',
    about: 'add a host',
    run: async (lab, [name]) => describeHost(await lab.addHost(name))
  },
  start: {
    usage: 'start [HOST...]',
    about: "start a dist-node in these hosts, or in all; its output goes to node.log in the host's folder",
    run: async (lab, names) => {
      const nodes = await Promise.all(hostsOf(lab, names).map((host) => startNode(host)))
      return nodes.map(({ host, ready }) => `${host.name}  ${ready.peerId}  ${ready.slots} slots`).join('\n')
    }
  },
  cut: {
    usage: 'cut HOST...',
    about: 'pull the cable out',
    min: 1,
    run: (lab, names) => each(hostsOf(lab, names), (host) => host.cut())
  },
  heal: {
    usage: 'heal [HOST...]',
    about: 'plug the cable in and take all faults off it; without a host, also end partitions',
    run: (lab, names) => (names.length === 0 ? lab.heal() : each(hostsOf(lab, names), (host) => host.heal()))
  },
  delay: {
    usage: 'delay HOST MS [JITTER_MS]',
    about: 'delay every packet, each way',
    min: 2,
    run: (lab, [name, ms, jitter]) =>
      lab.host(name!).link({ delayMs: numberOf('MS', ms), jitterMs: numberOf('JITTER_MS', jitter ?? '0') })
  },
  drop: {
    usage: 'drop HOST PERCENT',
    about: 'lose packets at random, each way',
    min: 2,
    run: (lab, [name, percent]) => lab.host(name!).link({ lossRatio: numberOf('PERCENT', percent) / 100 })
  },
  limit: {
    usage: 'limit HOST MBIT',
    about: 'limit the bandwidth, each way; 0 lifts the limit',
    min: 2,
    run: (lab, [name, mbit]) => lab.host(name!).link({ rateKbit: numberOf('MBIT', mbit) * 1000 })
  },
  multicast: {
    usage: 'multicast HOST on|off',
    about: 'let multicast pass or not',
    min: 2,
    run: (lab, [name, state]) => lab.host(name!).link({ multicast: isOn(state) })
  },
  inbound: {
    usage: 'inbound HOST on|off',
    about: 'let others open TCP connections to the host or not',
    min: 2,
    run: (lab, [name, state]) => lab.host(name!).link({ inbound: isOn(state) })
  },
  partition: {
    usage: 'partition HOST,HOST... [HOST,HOST...]',
    about: 'split the network into these groups and the rest',
    min: 1,
    run: (lab, groups) =>
      lab.partition(...groups.map((group) => group.split(',').map((name) => lab.host(name))))
  },
  sever: {
    usage: 'sever HOST HOST',
    about: 'let nothing pass between two hosts',
    min: 2,
    run: (lab, [one, other]) => lab.sever(lab.host(one!), lab.host(other!))
  },
  address: {
    usage: 'address HOST [ADDRESS]',
    about: "change the host's address",
    min: 1,
    run: async (lab, [name, address]) => {
      await lab.host(name!).changeAddress(address ?? lab.freshAddress())
      return describeHost(lab.host(name!))
    }
  },
  interface: {
    usage: 'interface HOST NAME ADDRESS',
    about: 'add a network interface that leads nowhere, such as docker0 172.17.0.1',
    min: 3,
    run: (lab, [host, name, address]) => lab.host(host!).addInterface(name!, address!)
  },
  freeze: {
    usage: 'freeze HOST...',
    about: 'stop every process of the host where it is',
    min: 1,
    run: (lab, names) => each(hostsOf(lab, names), (host) => host.freeze())
  },
  thaw: {
    usage: 'thaw HOST...',
    about: 'let them go on',
    min: 1,
    run: (lab, names) => each(hostsOf(lab, names), (host) => host.thaw())
  },
  kill: {
    usage: 'kill HOST...',
    about: 'kill -9 every process of the host',
    min: 1,
    run: (lab, names) => each(hostsOf(lab, names), (host) => host.killAll())
  }
}

function describeHost(host: Host): string {
  const { cable, multicast, inbound, lossRatio, delayMs, jitterMs, rateKbit } = host.port.conditions
  const faults = [
    cable ? '' : 'cut',
    multicast ? '' : 'no multicast',
    inbound ? '' : 'no inbound',
    lossRatio > 0 ? `drops ${+(lossRatio * 100).toFixed(3)} %` : '',
    delayMs > 0 || jitterMs > 0 ? `delay ${delayMs} ms${jitterMs > 0 ? ` +- ${jitterMs} ms` : ''}` : '',
    rateKbit > 0 ? `limit ${rateKbit / 1000} Mbit/s` : '',
    host.port.severed.size > 0 ? `severed from ${host.port.severed.size}` : ''
  ].filter(Boolean)
  return `${host.name.padEnd(10)} ${host.address.padEnd(15)} ${faults.join(', ') || 'well'}`.trimEnd()
}
