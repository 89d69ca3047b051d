/**
 * One port of the laboratory's switch, and the cable from it to one host. Faults live on the switch's side, where the
 * host can neither see nor undo them; only what the host sends is slowed down where it leaves the host.
 */
import type { DelayLine } from './delay-line.ts'
import { checkConditions, isDelayed, PERFECT, queueFor } from './link-conditions.ts'
import type { LinkConditions } from './link-conditions.ts'
import type { Machine } from './machine.ts'
import { compileFilter } from './packet-filter.ts'

/** The bridge every host is on unless the network is partitioned. */
export const MAIN_BRIDGE = 'lan0'

/** Name of the network card in every host. */
export const CARD = 'eth0'

export interface PortParts {
  readonly switchMachine: Machine
  readonly host: Machine
  /** Absent where the kernel can delay packets by itself. */
  readonly delayLine: DelayLine | undefined
}

export class Port {
  /** Hardware address of the host's network card. */
  readonly card: string
  readonly #parts: PortParts
  readonly #number: number
  readonly #name: string
  #conditions = PERFECT
  #severed: ReadonlySet<string> = new Set()
  #bridge = MAIN_BRIDGE
  /** What `ip` and `tc` were told last, by the thing they were told it of. */
  readonly #told = new Map<string, string | undefined>()
  #turn: Promise<void> = Promise.resolve()

  constructor(parts: PortParts, number: number) {
    this.#parts = parts
    this.#number = number
    this.#name = `port${number}`
    this.card = `02:4c:41:4e:${hexByte(number >> 8)}:${hexByte(number & 255)}`
  }

  get conditions(): LinkConditions {
    return this.#conditions
  }

  /** The network cards from which nothing passes. */
  get severed(): ReadonlySet<string> {
    return this.#severed
  }

  /** Makes the cable and plugs it in at both ends. */
  async connect(): Promise<void> {
    const { switchMachine, host } = this.#parts
    const peer = `peer name ${CARD} address ${this.card} netns ${host.pid}`
    await switchMachine.configure('ip', [`link add name ${this.#name} type veth ${peer}`])
    await switchMachine.configure('tc', [`qdisc add dev ${this.#name} clsact`])
    await this.#apply()
  }

  /**
   * Changes some conditions and leaves the others; settles when they hold.
   *
   * @throws RangeError when a number cannot be
   */
  async change(conditions: Partial<LinkConditions>): Promise<void> {
    checkConditions(conditions)
    this.#conditions = { ...this.#conditions, ...conditions }
    await this.#apply()
  }

  /** Drops everything that comes from these network cards, and nothing else. */
  async sever(cards: ReadonlySet<string>): Promise<void> {
    this.#severed = cards
    await this.#apply()
  }

  /** Moves the cable to another bridge of the switch; the host notices nothing but silence. */
  async moveTo(bridge: string): Promise<void> {
    this.#bridge = bridge
    await this.#apply()
  }

  /** Changes are made one after another, each towards the conditions as they are when its turn comes. */
  #apply(): Promise<void> {
    const turn = this.#turn.then(() => this.#makeItSo())
    this.#turn = turn.catch(() => {})
    return turn
  }

  async #makeItSo(): Promise<void> {
    const { switchMachine, host, delayLine } = this.#parts
    const { multicast, inbound, lossRatio, delayMs, jitterMs } = this.#conditions
    if (isDelayed(this.#conditions)) await delayLine?.set(this.#number, delayMs, jitterMs)
    await switchMachine.configure('ip', this.#links())

    const refusals = { multicast: !multicast, connections: !inbound, lossRatio, senders: [...this.#severed] }
    const toHost = compileFilter(refusals)
    const fromHost = compileFilter({ ...refusals, connections: false, senders: [] })
    const queue = queueFor(this.#conditions, delayLine === undefined)
    await switchMachine.configure('tc', [
      ...this.#filter('egress', toHost),
      ...this.#filter('ingress', fromHost),
      ...this.#queue(this.#name, queue)
    ])
    await host.configure('tc', this.#queue(CARD, queue))
  }

  #links(): string[] {
    const line = this.#parts.delayLine
    const outerEnd = line?.outerEnd(this.#number)
    const plug =
      outerEnd === undefined
        ? [`link set dev ${this.#name} master ${this.#bridge}`]
        : isDelayed(this.#conditions)
          ? [
              `link set dev ${this.#name} master ${line!.bridge(this.#number)}`,
              `link set dev ${outerEnd} master ${this.#bridge}`
            ]
          : [`link set dev ${outerEnd} nomaster`, `link set dev ${this.#name} master ${this.#bridge}`]
    const lines = [...plug, `link set dev ${this.#name} ${this.#conditions.cable ? 'up' : 'down'}`]
    return this.#tell('links', lines.join('\n')) ? lines : []
  }

  #filter(direction: 'egress' | 'ingress', program: string | undefined): string[] {
    if (!this.#tell(direction, program)) return []
    const where = `dev ${this.#name} ${direction} protocol all pref 1`
    if (program === undefined) return [`filter del ${where}`]
    return [`filter replace ${where} handle 1 bpf direct-action bytecode "${program}"`]
  }

  #queue(device: string, queue: string | undefined): string[] {
    if (!this.#tell(device, queue)) return []
    return [
      queue === undefined ? `qdisc del dev ${device} root` : `qdisc replace dev ${device} root ${queue}`
    ]
  }

  /** Notes what is told now; false when that is what was told last. */
  #tell(about: string, state: string | undefined): boolean {
    if (this.#told.get(about) === state) return false
    this.#told.set(about, state)
    return true
  }
}

const hexByte = (byte: number): string => byte.toString(16).padStart(2, '0')
