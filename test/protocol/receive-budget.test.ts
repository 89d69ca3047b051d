import { describe, expect, test } from 'vitest'
import { MESSAGE_TYPES } from '../../src/protocol/messages.ts'
import { PartAssembler } from '../../src/protocol/parts.ts'
import { ReceiveBudget, receiveBudgetBytes } from '../../src/protocol/receive-budget.ts'
import { allocatePartHead, Opener, PAYLOAD_AT, Sealer } from '../../src/protocol/seal.ts'
import { directionKeys } from './helpers/keys.ts'

const noEviction = (): never => {
  throw new Error('evicted')
}

describe('the budget for half-received messages', () => {
  test('who holds most is cut off, whoever sends the byte too many', () => {
    const budget = new ReceiveBudget(100)
    const evicted: string[] = []
    const greedy = budget.share(({ code }) => evicted.push(`greedy ${code}`))
    const modest = budget.share(noEviction)
    greedy.add(70)
    modest.add(30)
    expect(evicted).toEqual([])
    modest.add(1)
    expect(evicted).toEqual(['greedy FRAME_INVALID'])
    expect(budget.usedBytes).toBe(31)
    greedy.close()
    expect(budget.usedBytes).toBe(31)
  })

  test('what is complete or closed is given back', () => {
    const budget = new ReceiveBudget(100)
    const share = budget.share(noEviction)
    for (let n = 0; n < 10; n++) {
      share.add(90)
      share.add(-90)
    }
    share.add(50)
    share.close()
    expect(budget.usedBytes).toBe(0)
    budget.share(noEviction).add(100)
  })

  test('many channels of one member share it', () => {
    const budget = new ReceiveBudget(1_000)
    let evictions = 0
    const shares = Array.from({ length: 20 }, () => budget.share(() => evictions++))
    for (let round = 0; round < 10; round++)
      for (const share of shares) if (share.bytes >= round * 10) share.add(10)
    expect(budget.usedBytes).toBeLessThanOrEqual(1_000)
    expect(evictions).toBeGreaterThan(0)
  })

  test('half of the memory, and never less than a small machine needs', () => {
    expect(receiveBudgetBytes(8 * 2 ** 30)).toBe(4 * 2 ** 30)
    expect(receiveBudgetBytes(2 ** 20)).toBe(64 * 2 ** 20)
  })
})

test('parts count from their arrival until their message is whole or abandoned', () => {
  const keys = directionKeys(5)
  const [sealer, opener] = [new Sealer(keys), new Opener(keys)]
  const budget = new ReceiveBudget(1_000)
  const share = budget.share(noEviction)
  const assembler = new PartAssembler(share)
  const accept = (transfer: number, flags: number, bytes: Uint8Array): unknown => {
    const head = allocatePartHead()
    head.writeUInt32BE(transfer, PAYLOAD_AT)
    head.writeUInt32BE(MESSAGE_TYPES.jobs * 0x100_0000 + flags * 0x1_0000, PAYLOAD_AT + 4)
    head.writeUInt32BE(600, PAYLOAD_AT + 8)
    return assembler.accept(opener.open(sealer.sealPart(head, bytes)))
  }
  accept(1, 0, Buffer.alloc(400))
  // What was announced and not sent costs nothing.
  expect(budget.usedBytes).toBe(400)
  accept(2, 0, Buffer.alloc(100))
  expect(budget.usedBytes).toBe(500)
  accept(2, 1, Buffer.alloc(0))
  expect(budget.usedBytes).toBe(400)
  expect(accept(1, 0, Buffer.alloc(200))).toBeDefined()
  expect(budget.usedBytes).toBe(0)
})
