/** What chaos does to a mesh, each with how it is undone. */
import type { Host } from './host.ts'
import type { Lab } from './lab.ts'
import { startNode } from './nodes.ts'
import type { LabNode } from './nodes.ts'
import type { Random } from './random.ts'

/** A laboratory with dist-node in its hosts, all but the submitter's. */
export class ChaosMesh {
  readonly lab: Lab
  readonly submitter: Host
  /** The node of each host; none while it is down. */
  readonly nodes = new Map<Host, LabNode>()
  readonly #members = new Set<Host>()
  readonly #onDeath: (death: string) => void

  /** @param onDeath told of a node that ends though nobody ended it */
  constructor(lab: Lab, onDeath: (death: string) => void) {
    this.lab = lab
    this.#onDeath = onDeath
    this.submitter = lab.host(0)
  }

  /** An executor that suffers everything but being ended, to see whether anything grows in it. */
  get witness(): Host {
    return this.lab.host(1)
  }

  /** Hosts that have had a node; one that is still being added is left alone. */
  get executors(): Host[] {
    return this.lab.hosts.filter((host) => this.#members.has(host))
  }

  async start(host: Host): Promise<void> {
    const node = await startNode(host, ['--slots', '1'])
    this.nodes.set(host, node)
    this.#members.add(host)
    void node.process.exited.then(({ code, signal }) => {
      if (this.nodes.get(host) !== node) return
      const last = node.process.stderr.slice(-15).join('\n  ')
      this.#onDeath(`the node of ${host.name} ended by itself (${code ?? signal}):\n  ${last}`)
    })
  }
}

export interface Fault {
  readonly name: string
  /** How often it is chosen, against the others. */
  readonly weight: number
  /** The node does not live through it. */
  readonly isDeadly?: boolean
  /** Does it to a host and returns what undoes it. */
  inflict(mesh: ChaosMesh, host: Host, random: Random): Promise<() => Promise<void>>
}

const heal = (host: Host) => () => host.heal()

export const FAULTS: readonly Fault[] = [
  {
    name: 'kill',
    weight: 3,
    isDeadly: true,
    inflict: async (mesh, host) => {
      mesh.nodes.delete(host)
      await host.killAll()
      return () => mesh.start(host)
    }
  },
  {
    name: 'stop',
    weight: 1,
    isDeadly: true,
    inflict: async (mesh, host) => {
      const node = mesh.nodes.get(host)
      mesh.nodes.delete(host)
      await node?.stop()
      return () => mesh.start(host)
    }
  },
  {
    name: 'freeze',
    weight: 2,
    inflict: async (_mesh, host) => {
      await host.freeze()
      return () => host.thaw()
    }
  },
  {
    name: 'cut',
    weight: 3,
    inflict: async (_mesh, host) => {
      await host.cut()
      return heal(host)
    }
  },
  {
    name: 'cut the submitter',
    weight: 1,
    inflict: async ({ submitter }) => {
      await submitter.cut()
      return heal(submitter)
    }
  },
  {
    name: 'delay',
    weight: 2,
    inflict: async (_mesh, host, random) => {
      await host.link({ delayMs: Math.round(random.between(5, 150)), jitterMs: 5 })
      return heal(host)
    }
  },
  {
    name: 'drop',
    weight: 2,
    inflict: async (_mesh, host, random) => {
      await host.link({ lossRatio: random.between(0.01, 0.2) })
      return heal(host)
    }
  },
  {
    name: 'partition',
    weight: 1,
    inflict: async ({ lab, executors }, host, random) => {
      await lab.partition(executors.filter((executor) => executor === host || random.next() < 0.3))
      return () => lab.unite()
    }
  },
  {
    name: 'sever',
    weight: 1,
    inflict: async ({ lab, submitter }, host) => {
      await lab.sever(submitter, host)
      return () => lab.unite()
    }
  },
  {
    name: 'new address',
    weight: 1,
    inflict: async ({ lab }, host) => {
      await host.changeAddress(lab.freshAddress())
      return async () => {}
    }
  },
  {
    name: 'add',
    weight: 0.3,
    inflict: async (mesh) => {
      if (mesh.executors.length < 12) await mesh.start(await mesh.lab.addHost())
      return async () => {}
    }
  }
]

/** A fault for this host, by weight. */
export function pickFault(random: Random, mesh: ChaosMesh, host: Host): Fault {
  const faults = FAULTS.filter(({ isDeadly }) => isDeadly !== true || host !== mesh.witness)
  let point = random.next() * faults.reduce((sum, { weight }) => sum + weight, 0)
  return faults.find(({ weight }) => (point -= weight) < 0) ?? faults[0]!
}
