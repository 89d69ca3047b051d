/**
 * Multicast on every interface this machine has at the moment: what is sent goes out on each of them, and what comes in
 * on any is heard. Interfaces that appear later (Wi-Fi on, VPN up, cable plugged in) join as they come.
 */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { networkInterfaces } from 'node:os'

/** RFC 6762, section 3. */
const PORT = 5353
const GROUPS = { IPv4: '224.0.0.251', IPv6: 'ff02::fb' } as const

/** How often to look for interfaces that came or went. */
const LOOK_EVERY_MS = 2_000

/** A machine with containers may have hundreds; those of a LAN come first. */
const MAX_INTERFACES = 16

export type Family = keyof typeof GROUPS

/** One interface, in one family of addresses. */
export interface MulticastInterface {
  readonly name: string
  /** All of its addresses of that family. */
  readonly addresses: readonly string[]
}

export interface MulticastInit {
  readonly families: readonly Family[]
  /** @param source IP address of the sender */
  readonly onPacket: (packet: Buffer, source: string) => void
  /** An interface was joined that was not there before. */
  readonly onInterface: () => void
  /** Nothing can be heard, or not any more. */
  readonly onError: (error: NodeJS.ErrnoException) => void
}

export class Multicast {
  readonly #speakers: readonly Speaker[]
  readonly #timer: NodeJS.Timeout

  private constructor(speakers: readonly Speaker[], onInterface: () => void) {
    this.#speakers = speakers
    this.#timer = setInterval(() => {
      if (speakers.map((speaker) => speaker.join()).includes(true)) onInterface()
    }, LOOK_EVERY_MS).unref()
  }

  static async open(init: MulticastInit): Promise<Multicast> {
    const speakers = await Promise.all(init.families.map((family) => Speaker.open(family, init)))
    return new Multicast(
      speakers.filter((speaker) => speaker !== undefined),
      init.onInterface
    )
  }

  /** Sends on each interface what is made for it; where nothing is made nothing is sent. */
  send(make: (on: MulticastInterface) => Buffer | undefined): void {
    for (const speaker of this.#speakers) speaker.send(make)
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all(this.#speakers.map((speaker) => speaker.close()))
  }
}

interface Joined extends MulticastInterface {
  /** What the socket calls it: an address of IPv4, a zone of IPv6. */
  readonly handle: string
}

/**
 * One socket for all interfaces of a family: on Linux each socket bound to the port hears what any of them has joined, so
 * one for each interface would hear everything many times.
 */
class Speaker {
  readonly #family: Family
  readonly #socket: Socket
  #interfaces: readonly Joined[] = []
  /** The interface to send on belongs to the socket, so packets leave one after another. */
  #sending: Promise<void> = Promise.resolve()
  #isClosed = false

  private constructor(family: Family, socket: Socket) {
    this.#family = family
    this.#socket = socket
  }

  static async open(family: Family, init: MulticastInit): Promise<Speaker | undefined> {
    const type = family === 'IPv4' ? 'udp4' : 'udp6'
    const socket = createSocket({ type, reuseAddr: true, ipv6Only: family === 'IPv6' })
    try {
      socket.bind(PORT)
      await once(socket, 'listening')
      socket.setMulticastTTL(255)
      socket.setMulticastLoopback(true)
    } catch (error) {
      socket.close()
      init.onError(error as NodeJS.ErrnoException)
      return undefined
    }
    socket.on('error', init.onError)
    socket.on('message', (packet, { address }) => init.onPacket(packet, address))
    socket.unref()
    const speaker = new Speaker(family, socket)
    speaker.join()
    return speaker
  }

  /** Joins the group on all interfaces. @returns whether there is one that was not there before */
  join(): boolean {
    const before = new Set(this.#interfaces.map(({ handle, addresses }) => `${handle} ${addresses.join()}`))
    this.#interfaces = listInterfaces(this.#family)
    let isNew = false
    for (const { handle, addresses } of this.#interfaces) {
      if (!before.has(`${handle} ${addresses.join()}`)) isNew = true
      try {
        this.#socket.addMembership(GROUPS[this.#family], handle)
        // Of the same name and address, but another one: a tunnel that was made anew.
        isNew = true
      } catch {
        // Joined already, or gone since it was listed.
      }
    }
    return isNew
  }

  send(make: (on: MulticastInterface) => Buffer | undefined): void {
    this.#sending = this.#sending.then(async () => {
      for (const each of this.#interfaces) {
        const packet = make(each)
        if (packet !== undefined) await this.#sendOn(each, packet)
      }
    })
  }

  /** An interface that does not let it out is as good as none. */
  async #sendOn({ handle }: Joined, packet: Buffer): Promise<void> {
    if (this.#isClosed) return
    const { promise, resolve } = Promise.withResolvers<void>()
    try {
      this.#socket.setMulticastInterface(handle)
      this.#socket.send(packet, PORT, GROUPS[this.#family], () => resolve())
      await promise
    } catch {
      // Gone since it was listed.
    }
  }

  async close(): Promise<void> {
    await this.#sending
    this.#isClosed = true
    this.#socket.close()
    await once(this.#socket, 'close')
  }
}

function listInterfaces(family: Family): Joined[] {
  const found = Object.entries(networkInterfaces()).flatMap(([name, list]) => {
    const addresses = (list ?? [])
      .filter((each) => each.family === family && !each.internal)
      .map(({ address }) => address)
    const [first] = addresses
    if (first === undefined) return []
    return [{ name, addresses, handle: family === 'IPv4' ? first : `::%${name}` }]
  })
  return found.slice(0, MAX_INTERFACES)
}
