/**
 * What a switch port refuses to forward, as a classic BPF program for `tc`: no firewall tool is needed, and the
 * program hangs on the switch's side of the cable, where nothing in the host can see or undo it.
 *
 * Source: "The BSD Packet Filter" (McCanne, Jacobson, 1993); encoding as in Linux's `linux/filter.h`.
 */

export interface Refusals {
  /** Drop IPv4 multicast and multicast DNS over IPv6, as many wireless access points do. */
  readonly multicast: boolean
  /** Drop the first packet of each TCP connection, as a host's firewall does. Answers still pass. */
  readonly connections: boolean
  /** Drop this share of all packets, chosen at random, from 0 to 1. */
  readonly lossRatio: number
  /** Drop everything that comes from these network cards. */
  readonly senders: readonly string[]
}

type Instruction = readonly [code: number, jumpTrue: number, jumpFalse: number, operand: number]

const LOAD_WORD = 0x20
const LOAD_HALF = 0x28
const LOAD_BYTE = 0x30
const LOAD_BYTE_INDEXED = 0x50
const LOAD_X_HEADER_LENGTH = 0xb1
const AND = 0x54
const JUMP_EQUAL = 0x15
const JUMP_AT_LEAST = 0x35
const RETURN = 0x06

/** SKF_AD_OFF + SKF_AD_RANDOM: loading from here yields a random word. */
const RANDOM_WORD = 0x1_0000_0000 - 0x1000 + 56

const PASS: Instruction = [RETURN, 0, 0, 0] // TC_ACT_OK
const DROP: Instruction = [RETURN, 0, 0, 2] // TC_ACT_SHOT

// Places in an Ethernet frame.
const SOURCE_CARD_LAST_FOUR = 8
const PROTOCOL = 12
const IPV4_HEADER = 14
const IPV4_PROTOCOL = 23
const IPV6_NEXT_HEADER = 20
const IPV6_TCP_FLAGS = 14 + 40 + 13

const IPV4 = 0x0800
const IPV6 = 0x86dd
const TCP = 6
const SYN_AND_ACK = 0x12
const SYN = 0x02

const dropIfEqual = (value: number): Instruction[] => [[JUMP_EQUAL, 0, 1, value], DROP]

/** `body` runs when the loaded value equals `value`. */
const when = (value: number, body: Instruction[]): Instruction[] => [
  [JUMP_EQUAL, 0, body.length, value],
  ...body
]

const refuseMulticast: Instruction[] = [
  [LOAD_WORD, 0, 0, 0],
  ...when(0x3333_0000, [[LOAD_HALF, 0, 0, 4], ...dropIfEqual(0x00fb)]),
  [LOAD_WORD, 0, 0, 0],
  [AND, 0, 0, 0xffff_ff00],
  ...dropIfEqual(0x0100_5e00)
]

const refuseConnections: Instruction[] = [
  [LOAD_HALF, 0, 0, PROTOCOL],
  ...when(IPV4, [
    [LOAD_BYTE, 0, 0, IPV4_PROTOCOL],
    ...when(TCP, [
      [LOAD_X_HEADER_LENGTH, 0, 0, IPV4_HEADER],
      [LOAD_BYTE_INDEXED, 0, 0, IPV4_HEADER + 13],
      [AND, 0, 0, SYN_AND_ACK],
      ...dropIfEqual(SYN)
    ])
  ]),
  [LOAD_HALF, 0, 0, PROTOCOL],
  ...when(IPV6, [
    [LOAD_BYTE, 0, 0, IPV6_NEXT_HEADER],
    ...when(TCP, [[LOAD_BYTE, 0, 0, IPV6_TCP_FLAGS], [AND, 0, 0, SYN_AND_ACK], ...dropIfEqual(SYN)])
  ])
]

/** All cards of a laboratory begin alike. */
const lastFour = (card: string): number => Number.parseInt(card.split(':').slice(2).join(''), 16)

function refuseSenders(senders: readonly string[]): Instruction[] {
  return [[LOAD_WORD, 0, 0, SOURCE_CARD_LAST_FOUR], ...senders.flatMap((card) => dropIfEqual(lastFour(card)))]
}

function lose(ratio: number): Instruction[] {
  const limit = Math.min(Math.round(ratio * 2 ** 32), 2 ** 32 - 1)
  return [[LOAD_WORD, 0, 0, RANDOM_WORD], [JUMP_AT_LEAST, 1, 0, limit], DROP]
}

/** The program in the notation of `tc ... bpf bytecode`, or undefined when everything may pass. */
export function compileFilter(refusals: Refusals): string | undefined {
  const checks = [
    ...(refusals.multicast ? refuseMulticast : []),
    ...(refusals.connections ? refuseConnections : []),
    ...(refusals.senders.length > 0 ? refuseSenders(refusals.senders) : []),
    ...(refusals.lossRatio > 0 ? lose(refusals.lossRatio) : [])
  ]
  if (checks.length === 0) return undefined
  const program = [...checks, PASS]
  return [program.length, ...program.map((instruction) => instruction.join(' '))].join(',')
}
