/** How a node hears of peers; whatever it hears goes into its plan whom to dial. What peers tell of peers is elsewhere. */
import { createHash } from 'node:crypto'
import type { PeerId } from '../link.ts'
import { labelOf, serviceName } from './announcement.ts'
import { announcementListener, type MakeListener } from './announcement-listener.ts'
import type { DialPlan } from './dial-plan.ts'
import { type AddressSource, peerIdIn } from './dial-target.ts'
import { Discovery } from './discovery.ts'
import { type KnownPeer, KnownPeers } from './known-peers.ts'
import { PacketBudget } from './packet-budget.ts'
import { SameHostBoard } from './same-host.ts'

export interface PeerSourcesInit {
  readonly self: PeerId
  readonly mesh: string
  readonly plan: DialPlan
  /** Where peers are remembered from one start to the next. */
  readonly folder: string
  /** What the user typed. */
  readonly peers: readonly string[]
  readonly mdns: boolean
  readonly sameHost: boolean
  /** Multiaddrs of this node now, with its id. */
  readonly addresses: () => readonly string[]
  /** Peers this node is connected to. */
  readonly countPeers: () => number
  /** The plan has changed. */
  readonly onNews: () => void
  readonly onWarning: (message: string) => void
}

export class PeerSources {
  readonly #init: PeerSourcesInit
  readonly #meshHash: string
  readonly #known: KnownPeers
  #board: SameHostBoard | undefined
  #discovery: Discovery | undefined

  constructor(init: PeerSourcesInit) {
    this.#init = init
    this.#meshHash = createHash('sha256').update(`dist-node/mesh\0${init.mesh}`).digest('hex').slice(0, 16)
    this.#known = new KnownPeers(init.folder, init.mesh)
  }

  /**
   * The ear for multicast DNS that starts and stops with libp2p; undefined where its owner wants none. What is announced
   * before {@link start} is asked for again.
   */
  get listener(): MakeListener | undefined {
    if (!this.#init.mdns) return undefined
    const budget = new PacketBudget(labelOf(this.#meshHash), performance.now())
    return announcementListener(serviceName(this.#meshHash), budget, (peer, source) =>
      this.#discovery?.onAnnounced(peer, source)
    )
  }

  /** Begins with what was typed and remembered; then looks around, for as long as the node runs. */
  async start(): Promise<void> {
    const { self, plan, peers, mdns, sameHost, addresses, countPeers, onWarning } = this.#init
    for (const address of peers) plan.learn({ id: peerIdIn(address), addresses: [address] }, 'user', 0)
    for (const peer of await this.#known.load()) plan.learn(peer, 'remembered', 0)
    if (sameHost) {
      const node = { id: self, addresses: addresses(), meshHash: this.#meshHash }
      this.#board = await SameHostBoard.open(node, (peer) => void this.learn(peer, 'same-host'))
    }
    if (!mdns) return
    this.#discovery = await Discovery.start({
      peerId: self,
      meshHash: this.#meshHash,
      addresses,
      countPeers,
      onFound: (peer) => this.learn(peer, 'mdns'),
      onWarning
    })
  }

  /** @returns whether there was anything new in it */
  learn(peer: KnownPeer, source: AddressSource): boolean {
    const isNew = this.#init.plan.learn(peer, source, performance.now())
    if (isNew) this.#init.onNews()
    return isNew
  }

  /** A peer has said where it is itself. */
  remember(peer: KnownPeer): void {
    this.#known.remember(peer)
  }

  /** A peer is gone, perhaps to another address. */
  lookAgain(): void {
    this.#discovery?.lookAgain()
  }

  async stop(): Promise<void> {
    await Promise.all([this.#board?.close(), this.#discovery?.stop()])
  }

  /** Writes down who was met. */
  save(): Promise<void> {
    return this.#known.save()
  }
}
