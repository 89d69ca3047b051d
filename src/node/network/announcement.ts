/**
 * What nodes say to one another by multicast DNS, in the form of libp2p's specification of it: who is there? and: I am,
 * at these addresses.
 *
 * @see https://github.com/libp2p/specs/blob/master/discovery/mdns.md
 */
import { AUTHORITATIVE_ANSWER, decodeDns, encodeDns } from './libp2p.ts'

/** How long an announcement is good for, in seconds. */
const TTL_S = 120

/** What a text record holds at most (RFC 6763, section 6.1). */
const MAX_TEXT_BYTES = 255

const ADDRESS = 'dnsaddr='

/** A peer as it announces itself. */
export interface FoundPeer {
  readonly id: string
  /** Multiaddrs, without the peer's id. */
  readonly addresses: string[]
}

/** @param meshHash hexadecimal digits: who asks for one mesh gets no answers of another */
export function serviceName(meshHash: string): string {
  return `${labelOf(meshHash)}._udp.local`
}

/** What every packet about a mesh has in it. */
export function labelOf(meshHash: string): string {
  return `_dist-node-${meshHash.slice(0, 8)}`
}

/** One mesh among all that is said by multicast DNS. */
export class AnnouncementFormat {
  readonly #service: string
  /** Our records are told from those of others by it; it says nothing. */
  readonly #instance: string
  readonly #question: Buffer

  /** @param meshHash see {@link serviceName} */
  constructor(meshHash: string, instance: string) {
    this.#service = serviceName(meshHash)
    this.#instance = `${instance}.${this.#service}`
    this.#question = encodeDns({ type: 'query', questions: [{ name: this.#service, type: 'PTR' }] })
  }

  question(): Buffer {
    return this.#question
  }

  /** @param addresses with the peer's id; too long ones are left out */
  announcement(addresses: readonly string[]): Buffer {
    const texts = addresses
      .map((address) => `${ADDRESS}${address}`)
      .filter((text) => text.length <= MAX_TEXT_BYTES)
    return encodeDns({
      type: 'response',
      flags: AUTHORITATIVE_ANSWER,
      answers: [
        { name: this.#service, type: 'PTR', class: 'IN', ttl: TTL_S, data: this.#instance },
        ...texts.map(
          (data) => ({ name: this.#instance, type: 'TXT', class: 'IN', ttl: TTL_S, data }) as const
        )
      ]
    })
  }

  /** What a packet means for this mesh; undefined for the many that mean nothing, damaged ones too. */
  read(packet: Buffer): 'question' | FoundPeer | undefined {
    try {
      const { type, questions = [], answers = [], additionals = [] } = decodeDns(packet)
      if (type === 'query')
        return questions.some(({ name }) => name === this.#service) ? 'question' : undefined
      const texts = [...answers, ...additionals].flatMap((record) =>
        record.type === 'TXT' && record.name.endsWith(`.${this.#service}`) ? record.data : []
      )
      return peerIn(texts.map(String))
    } catch {
      return undefined
    }
  }
}

/** The peer of the first address, and all of its addresses. */
function peerIn(texts: readonly string[]): FoundPeer | undefined {
  const found = texts.flatMap((text) => {
    const [, address, id] = /^dnsaddr=(\/.+)\/p2p\/(\w+)$/.exec(text) ?? []
    return address === undefined || id === undefined ? [] : [{ address, id }]
  })
  const id = found[0]?.id
  if (id === undefined) return undefined
  return { id, addresses: found.filter((each) => each.id === id).map(({ address }) => address) }
}
