import { beforeEach, describe, expect, test } from 'vitest'
import { MAX_OPEN_TRANSFERS, MAX_TRANSFER_BYTES } from '../../src/protocol/limits.ts'
import { MESSAGE_TYPES, PART_TYPE } from '../../src/protocol/messages.ts'
import { PartAssembler } from '../../src/protocol/parts.ts'
import { allocatePartHead, Opener, PAYLOAD_AT, Sealer } from '../../src/protocol/seal.ts'
import type { OpenedFrame } from '../../src/protocol/seal.ts'
import { directionKeys } from './helpers/keys.ts'

interface Part {
  readonly transfer?: number
  readonly type?: number
  readonly flags?: number
  readonly total?: number
  readonly bytes?: Uint8Array
}

describe('parts of a member that lies', () => {
  const keys = directionKeys(5)
  let sealer: Sealer
  let opener: Opener
  let assembler: PartAssembler

  beforeEach(() => {
    ;[sealer, opener, assembler] = [new Sealer(keys), new Opener(keys), new PartAssembler({ add() {} })]
  })

  function accept(part: Part): OpenedFrame | undefined {
    const { transfer = 1, type = MESSAGE_TYPES.jobs, flags = 0, total = 6, bytes = Buffer.from('abc') } = part
    const head = allocatePartHead()
    head.writeUInt32BE(transfer, PAYLOAD_AT)
    head.writeUInt32BE(type * 0x100_0000 + flags * 0x1_0000, PAYLOAD_AT + 4)
    head.writeUInt32BE(total, PAYLOAD_AT + 8)
    return assembler.accept(opener.open(sealer.sealPart(head, bytes)))
  }

  const refusal = expect.objectContaining({ code: 'FRAME_INVALID' })

  test('transfers may be mixed', () => {
    accept({ transfer: 1 })
    accept({ transfer: 2, type: MESSAGE_TYPES.blob, total: 4 })
    const second = accept({ transfer: 2, type: MESSAGE_TYPES.blob, total: 4, bytes: Buffer.from('z') })
    const first = accept({ transfer: 1, bytes: Buffer.from('def') })
    expect([second?.type, Buffer.from(second!.payload.subarray()).toString()]).toEqual([
      MESSAGE_TYPES.blob,
      'abcz'
    ])
    expect([first?.type, Buffer.from(first!.payload.subarray()).toString()]).toEqual([
      MESSAGE_TYPES.jobs,
      'abcdef'
    ])
  })

  test.each([
    ['more bytes than announced', { bytes: Buffer.from('abcdefg') }],
    ['no bytes', { bytes: Buffer.alloc(0) }],
    ['an empty message', { total: 0 }],
    ['more than a message may have', { total: MAX_TRANSFER_BYTES + 1 }],
    ['a control message of 65 MiB', { type: MESSAGE_TYPES.peers, total: 65 * 1024 * 1024 }],
    ['parts of parts', { type: PART_TYPE }]
  ])('%s: refused at the first part', (_, part) => {
    expect(() => accept(part)).toThrow(refusal)
  })

  test.each([
    ['another type', { type: MESSAGE_TYPES.blob }],
    ['another size', { total: 7 }],
    ['too many bytes', { bytes: Buffer.from('defg') }]
  ])('%s in the second part: refused', (_, part) => {
    accept({})
    expect(() => accept(part)).toThrow(refusal)
  })

  test('an abandoned transfer is forgotten and its number free again', () => {
    accept({})
    expect(accept({ flags: 1, bytes: Buffer.alloc(0) })).toBeUndefined()
    accept({})
    expect(accept({ bytes: Buffer.from('def') })).toBeDefined()
  })

  test('only so many transfers may be open', () => {
    for (let transfer = 0; transfer < MAX_OPEN_TRANSFERS; transfer++) accept({ transfer })
    expect(() => accept({ transfer: 99 })).toThrow(refusal)
    accept({ transfer: 0, bytes: Buffer.from('def') })
    accept({ transfer: 99 })
  })

  test('and only so many bytes together', () => {
    accept({ transfer: 1, total: MAX_TRANSFER_BYTES })
    accept({ transfer: 2, total: MAX_TRANSFER_BYTES })
    expect(() => accept({ transfer: 3, total: 4 })).toThrow(refusal)
  })
})
