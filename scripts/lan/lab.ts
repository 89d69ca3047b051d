/**
 * A local network on one computer, to develop and test dist-node: hosts made of Linux namespaces, a switch between
 * them, and every fault a real network has, on demand. Nothing of it is seen outside; addresses, bridges and processes
 * exist in namespaces only, and end with the laboratory even when its process is killed.
 *
 * @example
 * await using lab = await Lab.create({ hosts: 3 })
 * const [alice, bob] = [lab.host(0), lab.host(1)]
 * const server = await alice.spawn('node', ['server.js'])
 * await server.waitForLine('listening')
 * await bob.cut()
 */
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { DelayLine } from './delay-line.ts'
import { makeHostFolders, makeLabFolder, sweep, writePassword } from './folders.ts'
import { GATEWAY, Host, NETWORK_BITS } from './host.ts'
import { Machine } from './machine.ts'
import { MAIN_BRIDGE, Port } from './port.ts'
import { kernelDelays, missingRights } from './rights.ts'

/** More hosts than this have no place in the addresses 10.77.0.1 to 10.77.3.232. */
const MAX_HOSTS = 1000

/**
 * The kernel remembers 1,024 neighbours, of all namespaces together, and refuses to talk to more; those it is told of do
 * not count. From so many hosts on, a laboratory tells them of each other.
 */
const INTRODUCED_HOSTS = 24

export interface LabOptions {
  /** How many hosts (named h1, h2 …), or their names. */
  readonly hosts: number | readonly string[]
}

export class Lab implements AsyncDisposable {
  readonly folder: string
  /** A strong password, made for this laboratory, that all hosts find in DIST_NODE_PASSWORD_FILE. */
  readonly passwordFile: string
  readonly #switch: Machine
  readonly #delayLine: DelayLine | undefined
  readonly #hosts: Host[] = []
  #hostsEver = 0
  #partitions = 0
  #networks = 0

  private constructor(switchMachine: Machine, folder: string) {
    this.#switch = switchMachine
    this.folder = folder
    this.passwordFile = writePassword(folder, randomBytes(16).toString('hex'))
    this.#delayLine = kernelDelays() ? undefined : new DelayLine(switchMachine)
  }

  /** @throws Error when the rights are missing, with what would help; see `missingRights` */
  static async create(options: LabOptions): Promise<Lab> {
    const missing = missingRights()
    if (missing !== undefined) throw new Error(missing)
    sweep()
    const lab = new Lab(await Machine.boot({ name: 'switch' }), makeLabFolder())
    try {
      await lab.#switch.configure('ip', [
        ...bridgeCommands(MAIN_BRIDGE),
        `address add ${GATEWAY}/${NETWORK_BITS} dev ${MAIN_BRIDGE}`
      ])
      const names =
        typeof options.hosts === 'number'
          ? Array.from({ length: options.hosts }, () => undefined)
          : options.hosts
      const hosts = await Promise.all(names.map((name) => lab.addHost(name)))
      lab.#hosts.splice(0, lab.#hosts.length, ...hosts) // they were ready in any order
      if (hosts.length >= INTRODUCED_HOSTS) {
        await Promise.all(hosts.map((host) => host.introduce(hosts.filter((other) => other !== host))))
      }
      return lab
    } catch (error) {
      await lab[Symbol.asyncDispose]()
      throw error
    }
  }

  get hosts(): readonly Host[] {
    return this.#hosts
  }

  /** @throws RangeError when there is no such host */
  host(which: number | string): Host {
    const host =
      typeof which === 'number' ? this.#hosts[which] : this.#hosts.find(({ name }) => name === which)
    if (host === undefined)
      throw new RangeError(`no host ${which}; there are ${this.#hosts.map(({ name }) => name).join(', ')}`)
    return host
  }

  /** Adds a host to the running network. */
  async addHost(name?: string): Promise<Host> {
    const number = ++this.#hostsEver
    if (number > MAX_HOSTS) throw new RangeError(`hosts: expected at most ${MAX_HOSTS}`)
    const hostName = name ?? `h${number}`
    const machine = await Machine.boot({ name: hostName, inside: this.#switch })
    const port = new Port({ switchMachine: this.#switch, host: machine, delayLine: this.#delayLine }, number)
    const folders = makeHostFolders(this.folder, hostName, this.passwordFile)
    const host = new Host({ name: hostName, machine, port, folders })
    await port.connect()
    await host.changeAddress(addressOf(number))
    this.#hosts.push(host)
    return host
  }

  /** An address on this network that no host has had. */
  freshAddress(): string {
    return addressOf(++this.#hostsEver)
  }

  /** Splits the network: hosts reach those of their own group only. Hosts in no group form one more. */
  async partition(...groups: readonly (readonly Host[])[]): Promise<void> {
    const rest = this.#hosts.filter((host) => !groups.some((group) => group.includes(host)))
    for (const group of rest.length > 0 ? [...groups, rest] : groups) {
      const bridge = `part${++this.#partitions}`
      await this.#switch.configure('ip', bridgeCommands(bridge))
      await Promise.all(group.map((host) => host.port.moveTo(bridge)))
    }
  }

  /** Lets nothing pass between two hosts, while both reach all others. */
  async sever(one: Host, other: Host): Promise<void> {
    await Promise.all([
      one.port.sever(one.port.severed.union(new Set([other.port.card]))),
      other.port.sever(other.port.severed.union(new Set([one.port.card])))
    ])
  }

  /**
   * Connects hosts by a network of its own beside the first one, each with one more card: eth1 and 10.78.0.1 upwards,
   * then eth2 and 10.79.0.1. It has no faults.
   */
  async addNetwork(hosts: readonly Host[]): Promise<void> {
    const number = ++this.#networks
    const bridge = `lan${number}`
    await this.#switch.configure('ip', bridgeCommands(bridge))
    for (const [at, host] of hosts.entries()) {
      const plug = { switchMachine: this.#switch, bridge, end: `${bridge}port${at + 1}` }
      await host.plugIn(`eth${number}`, `10.${77 + number}.0.${at + 1}`, plug)
    }
  }

  /** Ends all partitions and severances; faults of single cables stay. */
  async unite(): Promise<void> {
    await Promise.all(this.#hosts.flatMap(({ port }) => [port.sever(new Set()), port.moveTo(MAIN_BRIDGE)]))
  }

  /** Ends all partitions and severances, plugs every cable in and takes all faults off it. */
  async heal(): Promise<void> {
    await Promise.all([this.unite(), ...this.#hosts.map((host) => host.heal())])
  }

  /** Ends every process of every host, takes the network down and removes all files. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#switch[Symbol.asyncDispose]()
    await Promise.all(this.#hosts.map((host) => host.ended()))
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** A bridge that forwards at once and sends multicast to every port, as a cheap switch does. */
function bridgeCommands(name: string): string[] {
  return [`link add name ${name} type bridge forward_delay 0 mcast_snooping 0`, `link set dev ${name} up`]
}

const addressOf = (number: number): string => `10.77.${number >> 8}.${number & 255}`
