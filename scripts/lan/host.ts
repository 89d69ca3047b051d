/** One host of the laboratory: a machine with a network card, a cable to the switch, and folders of its own. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { HostFolders } from './folders.ts'
import { HostProcess } from './host-process.ts'
import { PERFECT } from './link-conditions.ts'
import type { LinkConditions } from './link-conditions.ts'
import type { Command, Machine } from './machine.ts'
import { CARD } from './port.ts'
import type { Port } from './port.ts'

/** Every address of the laboratory is in here; the switch has the last one and leads nowhere. */
export const NETWORK_BITS = 16
export const GATEWAY = '10.77.255.254'

export interface SpawnOptions {
  /** Added to the host's environment; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Working directory. @default the host's home folder */
  readonly cwd?: string
}

export interface RunOptions extends SpawnOptions {
  /** The process is killed after this. @default 60_000 */
  readonly timeoutMs?: number
  /** Written to its standard input, which is then closed. @default '' */
  readonly input?: string
}

export interface RunResult {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface HostParts {
  readonly name: string
  readonly machine: Machine
  readonly port: Port
  readonly folders: HostFolders
}

export class Host {
  readonly name: string
  readonly port: Port
  readonly #machine: Machine
  readonly #folders: HostFolders
  readonly #processes = new Set<HostProcess>()
  #address = ''

  constructor(parts: HostParts) {
    this.name = parts.name
    this.port = parts.port
    this.#machine = parts.machine
    this.#folders = parts.folders
  }

  /** The host's IPv4 address on the laboratory's network. */
  get address(): string {
    return this.#address
  }

  /** The host's folder; `home`, `state`, `run` and `tmp` are in it. */
  get folder(): string {
    return this.#folders.root
  }

  get env(): NodeJS.ProcessEnv {
    const inherited = Object.entries(process.env).filter(
      ([name]) => !/^(XDG_|DIST_NODE_|VITEST|NODE_OPTIONS)/.test(name)
    )
    return { ...Object.fromEntries(inherited), ...this.#folders.env }
  }

  /** The command line that runs a command in this host, to be started with the host's `env`. */
  enter(command: string, args: readonly string[], cwd = this.#folders.env['HOME']!): Command {
    return this.#machine.launch({ file: command, args: [...args] }, cwd)
  }

  /**
   * Starts a process in this host. It ends with the laboratory at the latest.
   *
   * @example
   * const node = await host.spawn('node', ['server.js'])
   * await node.waitForLine('listening')
   */
  async spawn(
    command: string,
    args: readonly string[] = [],
    options: SpawnOptions = {}
  ): Promise<HostProcess> {
    const env = { ...this.env, ...options.env }
    const label = `${this.name}: ${command} ${args.join(' ')}`
    const started = await HostProcess.start(this.enter(command, args, options.cwd), label, env)
    this.#processes.add(started)
    void started.exited.then(() => this.#processes.delete(started))
    return started
  }

  /** Runs a process in this host to its end. */
  async run(command: string, args: readonly string[] = [], options: RunOptions = {}): Promise<RunResult> {
    await using started = await this.spawn(command, args, options)
    const timer = setTimeout(() => void started.kill(), options.timeoutMs ?? 60_000)
    started.stdin.end(options.input ?? '')
    const exit = await started.exited
    clearTimeout(timer)
    return { ...exit, stdout: joined(started.stdout), stderr: joined(started.stderr) }
  }

  /** Changes some conditions of the host's cable and leaves the others. */
  async link(conditions: Partial<LinkConditions>): Promise<void> {
    await this.port.change(conditions)
  }

  /** Pulls the cable out. */
  async cut(): Promise<void> {
    await this.link({ cable: false })
  }

  /** Plugs the cable in and takes all faults off it. */
  async heal(): Promise<void> {
    await this.link(PERFECT)
  }

  /**
   * Gives the host another address in place of the one it has, as a router does after a restart.
   * Connections of the old address are not told.
   */
  async changeAddress(address: string): Promise<void> {
    await this.#machine.configure('ip', [
      `address flush dev ${CARD}`,
      `address add ${address}/${NETWORK_BITS} dev ${CARD}`,
      `link set dev ${CARD} up`,
      `route replace 224.0.0.0/4 dev ${CARD}`,
      `route replace default via ${GATEWAY}`
    ])
    this.#address = address
  }

  /** Takes the IPv4 address away and gives the host one of IPv6 in its place, as networks without IPv4 do. */
  async useIpv6(address: string): Promise<void> {
    await this.#machine.configure('ip', [
      `address flush dev ${CARD} scope global`,
      `address add ${address}/64 dev ${CARD} nodad`
    ])
    this.#address = address
  }

  /** Tells this host where others are, so that it need not ask the network for their cards. */
  async introduce(others: readonly Host[]): Promise<void> {
    await this.#machine.configure(
      'ip',
      others.map(
        ({ address, port }) => `neigh replace ${address} lladdr ${port.card} dev ${CARD} nud permanent`
      )
    )
  }

  /**
   * Adds a network interface that leads nowhere, as Docker and VPNs do: its address is announced to others and
   * cannot be reached by them.
   */
  async addInterface(name: string, address: string, prefixBits = 16): Promise<void> {
    await this.#machine.configure('ip', [
      `link add name ${name} type veth peer name ${name}-end`,
      `link set dev ${name}-end up`,
      `link set dev ${name} up`,
      `address add ${address}/${prefixBits} dev ${name}`
    ])
  }

  /** Makes a cable from a new card of this host to a bridge of the switch; its other end there has a name. */
  async plugIn(
    card: string,
    address: string,
    plug: { switchMachine: Machine; bridge: string; end: string }
  ): Promise<void> {
    const { switchMachine, bridge, end } = plug
    await switchMachine.configure('ip', [
      `link add name ${end} type veth peer name ${card} netns ${this.#machine.pid}`,
      `link set dev ${end} master ${bridge}`,
      `link set dev ${end} up`
    ])
    await this.#machine.configure('ip', [
      `address add ${address}/${NETWORK_BITS} dev ${card}`,
      `link set dev ${card} up`
    ])
  }

  /** Stops every process of the host where it is, as sleep does to a laptop. The network card still answers pings. */
  async freeze(): Promise<void> {
    await this.#signalAll('STOP')
  }

  async thaw(): Promise<void> {
    await this.#signalAll('CONT')
  }

  /** `kill -9` to every process of the host; settles when those started from here have ended. */
  async killAll(): Promise<void> {
    await this.#signalAll('KILL')
    await Promise.all([...this.#processes].map((started) => started.kill()))
  }

  /** Settles when every process started from here has ended and its output has been read. */
  async ended(): Promise<void> {
    await Promise.all([...this.#processes].map(({ exited }) => exited))
  }

  async #signalAll(signal: 'STOP' | 'CONT' | 'KILL'): Promise<void> {
    // In the host, -1 means every process but init and the one that asks. It fails when there is none.
    const { file, args } = this.#machine.enter({ file: 'sh', args: ['-c', `kill -${signal} -1 || true`] })
    await promisify(execFile)(file, args)
  }
}

const joined = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('')
