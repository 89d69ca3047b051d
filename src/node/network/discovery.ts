/**
 * Looks for peers by multicast DNS, and tells who looks for this one, on every interface. Answers by IPv4 are heard by
 * libp2p's multicast DNS (announcement-listener.ts). Anybody on the LAN can announce anything, so announcements are
 * hints, taken in small numbers, and lead to addresses of the LAN only.
 */
import { randomBytes } from 'node:crypto'
import { isIPv4 } from 'node:net'
import { AnnouncementFilter } from './announcement-filter.ts'
import { AnnouncementFormat, type FoundPeer, labelOf } from './announcement.ts'
import { parseTcpAddress } from './local-addresses.ts'
import { type Family, Multicast, type MulticastInterface } from './multicast.ts'
import { PacketBudget } from './packet-budget.ts'
import { AnswerPace, QuestionPace } from './question-pace.ts'

export interface DiscoveryInit {
  readonly peerId: string
  /** Hexadecimal digits: nodes of other meshes do not even hear of us. */
  readonly meshHash: string
  /** Multiaddrs of this node now, with its id. */
  readonly addresses: () => readonly string[]
  /** Peers this node is connected to: as many will answer a question. */
  readonly countPeers: () => number
  readonly onFound: (peer: FoundPeer) => void
  readonly onWarning: (message: string) => void
}

export class Discovery {
  readonly #init: DiscoveryInit
  readonly #format: AnnouncementFormat
  readonly #budget: PacketBudget
  readonly #filter = new AnnouncementFilter()
  readonly #questions = new QuestionPace(performance.now())
  readonly #answers = new AnswerPace()
  readonly #timers = new Set<NodeJS.Timeout>()
  #questionTimer: NodeJS.Timeout | undefined
  #multicast: Multicast | undefined

  private constructor(init: DiscoveryInit) {
    this.#init = init
    this.#budget = new PacketBudget(labelOf(init.meshHash), performance.now())
    this.#format = new AnnouncementFormat(init.meshHash, randomBytes(16).toString('hex'))
  }

  /** Announces this node and asks for others, now and for as long as it runs. Without multicast it does nothing. */
  static async start(init: DiscoveryInit): Promise<Discovery> {
    const discovery = new Discovery(init)
    discovery.#multicast = await Multicast.open({
      families: familiesOf(init.addresses()),
      onPacket: (packet, source) => discovery.#onPacket(packet, source),
      onInterface: () => discovery.#onInterface(),
      onError: ({ code, message }) =>
        init.onWarning(
          `no multicast DNS (${code ?? message}): dist-node doctor tells more; until then name peers with --peer`
        )
    })
    discovery.#announce()
    discovery.#askWhenDue()
    return discovery
  }

  /** A peer is gone, perhaps to another address: asks for it soon. */
  lookAgain(): void {
    this.#questions.hurry(performance.now())
    this.#askWhenDue()
  }

  async stop(): Promise<void> {
    clearTimeout(this.#questionTimer)
    for (const timer of this.#timers) clearTimeout(timer)
    await this.#multicast?.close()
    this.#multicast = undefined
  }

  #onInterface(): void {
    this.#announce()
    this.lookAgain()
  }

  /** A peer has announced itself: from the listener, which hears IPv4, or from an interface of IPv6. */
  onAnnounced(peer: FoundPeer, source: string | undefined): void {
    if (peer.id === this.#init.peerId) return
    const nowMs = performance.now()
    const believed = this.#filter.filter(peer, source, nowMs)
    if (believed === undefined) return
    this.#questions.onAnswerHeard(nowMs)
    this.#init.onFound(believed)
  }

  #onPacket(packet: Buffer, source: string): void {
    if (isAnswer(packet) && isIPv4(source)) return
    if (!this.#budget.takes(packet, source, performance.now())) return
    const news = this.#format.read(packet)
    if (news === undefined) return
    if (news !== 'question') return this.onAnnounced(news, source)
    const nowMs = performance.now()
    this.#questions.onOtherAsked(nowMs)
    this.#answerLater(nowMs)
  }

  #answerLater(nowMs: number): void {
    const dueMs = this.#answers.onQuestion(nowMs, this.#init.countPeers())
    if (dueMs === undefined) return
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      this.#announce()
    }, dueMs - nowMs).unref()
    this.#timers.add(timer)
  }

  /** On each interface the addresses by which those who hear it can reach this node. */
  #announce(): void {
    this.#answers.onAnswered(performance.now())
    const all = this.#init.addresses()
    this.#multicast?.send((on) => {
      const addresses = all.filter((address) => isReachableOn(on, address))
      return addresses.length === 0 ? undefined : this.#format.announcement(addresses)
    })
  }

  #askWhenDue(): void {
    clearTimeout(this.#questionTimer)
    const nowMs = performance.now()
    if (this.#questions.nextMs <= nowMs) {
      this.#multicast?.send(() => this.#format.question())
      this.#questions.onAsked(nowMs)
    }
    // Put off meanwhile when somebody else asks: then this finds it is not due.
    this.#questionTimer = setTimeout(() => this.#askWhenDue(), this.#questions.nextMs - nowMs).unref()
  }
}

/** The first bit of the flags (RFC 1035, section 4.1.1). */
function isAnswer(packet: Buffer): boolean {
  return ((packet[2] ?? 0) & 0x80) !== 0
}

function isReachableOn({ addresses }: MulticastInterface, address: string): boolean {
  const ip = parseTcpAddress(address)?.ip
  return ip !== undefined && addresses.includes(ip)
}

/** Where this node listens on no address of a family, it could not be reached by who hears it there. */
function familiesOf(addresses: readonly string[]): Family[] {
  const families: Family[] = []
  if (addresses.some((address) => address.startsWith('/ip4/'))) families.push('IPv4')
  if (addresses.some((address) => address.startsWith('/ip6/'))) families.push('IPv6')
  return families
}
