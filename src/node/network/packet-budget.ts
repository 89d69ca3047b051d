/**
 * How much of multicast DNS is looked at. Anybody on the LAN can send it, and names that point at one another make a packet
 * of 64 KiB cost 45 ms: without a limit, 1 % of a gigabit would stop every node.
 */

/** RFC 6762, section 17. */
const MAX_PACKET_BYTES = 9_000

/** What a record costs beside its bytes: its name may be a pointer to a long one. */
const RECORD_BYTES = 200

/** Of all machines together: what a thousand nodes answer to one question, and as much again in a quarter of a minute. */
const ALL = { burstBytes: 2 * 1024 * 1024, bytesPerSecond: 128 * 1024 }

/** Of one machine: several dozen nodes on it. */
const ONE = { burstBytes: 128 * 1024, bytesPerSecond: 32 * 1024 }

/** Machines that are told apart; more of them at once are a flood, or a network far larger than one multicast reaches. */
const MAX_SOURCES = 1_024

class Allowance {
  readonly #limits: typeof ALL
  #bytes: number
  #atMs: number

  constructor(limits: typeof ALL, nowMs: number) {
    this.#limits = limits
    this.#bytes = limits.burstBytes
    this.#atMs = nowMs
  }

  has(bytes: number, nowMs: number): boolean {
    const { burstBytes, bytesPerSecond } = this.#limits
    const earned = ((nowMs - this.#atMs) / 1_000) * bytesPerSecond
    this.#bytes = Math.min(burstBytes, this.#bytes + Math.max(0, earned))
    this.#atMs = nowMs
    return this.#bytes >= bytes
  }

  spend(bytes: number): void {
    this.#bytes -= bytes
  }
}

export class PacketBudget {
  readonly #label: Buffer
  readonly #sources = new Map<string, Allowance>()
  readonly #all: Allowance

  /** @param label part of a name that every packet of this mesh has in it, as it is written */
  constructor(label: string, nowMs: number) {
    this.#label = Buffer.from(label)
    this.#all = new Allowance(ALL, nowMs)
  }

  /** Whether a packet is worth decoding. @param source IP address of its sender, as far as one may believe it */
  takes(packet: Buffer, source: string, nowMs: number): boolean {
    // A LAN is full of printers and televisions.
    if (packet.length > MAX_PACKET_BYTES || !packet.includes(this.#label)) return false
    if (this.#sources.size >= MAX_SOURCES && !this.#sources.has(source)) this.#sources.clear()
    let allowance = this.#sources.get(source)
    if (allowance === undefined) this.#sources.set(source, (allowance = new Allowance(ONE, nowMs)))
    const cost = packet.length + RECORD_BYTES * recordsOf(packet)
    if (!allowance.has(cost, nowMs) || !this.#all.has(cost, nowMs)) return false
    allowance.spend(cost)
    this.#all.spend(cost)
    return true
  }
}

/** As its header announces them (RFC 1035, section 4.1.1): so many are decoded at most. */
function recordsOf(packet: Buffer): number {
  if (packet.length < 12) return 0
  return [4, 6, 8, 10].reduce((sum, at) => sum + packet.readUInt16BE(at), 0)
}
