import * as fc from 'fast-check'
import { Uint8ArrayList } from 'uint8arraylist'
import { describe, expect, test } from 'vitest'
import { splitFrames } from '../../src/protocol/frame.ts'
import { MESSAGE_TYPES, PART_TYPE } from '../../src/protocol/messages.ts'
import { allocateFrame, allocatePartHead, Opener, PAYLOAD_AT, Sealer } from '../../src/protocol/seal.ts'
import { directionKeys } from './helpers/keys.ts'

const keys = directionKeys(1)

function frameOf(sealer: Sealer, text: string, type: number = MESSAGE_TYPES.ping): Uint8ArrayList {
  const frame = allocateFrame(Buffer.byteLength(text))
  frame.write(text, PAYLOAD_AT)
  sealer.seal(type, frame)
  return new Uint8ArrayList(frame)
}

function partOf(sealer: Sealer, bytes: Uint8Array): Uint8ArrayList {
  const head = allocatePartHead().fill(0, PAYLOAD_AT)
  return sealer.sealPart(head, bytes)
}

const textOf = (payload: Uint8ArrayList): string => Buffer.from(payload.subarray()).toString()

describe('signed frames', () => {
  test('open in the order they were signed', () => {
    const [sealer, opener] = [new Sealer(keys), new Opener(keys)]
    for (const text of ['', 'one', 'two']) {
      const { type, payload } = opener.open(frameOf(sealer, text))
      expect([type, textOf(payload)]).toEqual([MESSAGE_TYPES.ping, text])
    }
  })

  test('parts open however their bytes are cut', () => {
    const [sealer, opener] = [new Sealer(keys), new Opener(keys)]
    const bytes = Buffer.alloc(100_000, 'abcdefg')
    const whole = partOf(sealer, bytes).subarray()
    const pieces = new Uint8ArrayList(
      whole.subarray(0, 1),
      whole.subarray(1, 37),
      whole.subarray(37, 50_001),
      whole.subarray(50_001)
    )
    const { type, payload } = opener.open(pieces)
    expect(type).toBe(PART_TYPE)
    expect(Buffer.from(payload.subarray(28)).equals(bytes)).toBe(true)
  })

  const second = (text: string): Uint8ArrayList => {
    const sealer = new Sealer(keys)
    frameOf(sealer, 'first')
    return frameOf(sealer, text)
  }
  test.each([
    ['replayed', (opener: Opener, first: Uint8ArrayList) => opener.open(first), 'sequence'],
    [
      'of another session',
      (opener: Opener) => opener.open(frameOf(new Sealer(directionKeys(9)), 'x')),
      'signature'
    ],
    [
      'reordered or skipped',
      (opener: Opener) => opener.open(second('x')) && opener.open(second('x')),
      'sequence'
    ]
  ] as const)('a frame that is %s is refused', (_, attack, why) => {
    const opener = new Opener(keys)
    const first = frameOf(new Sealer(keys), 'x')
    opener.open(first)
    expect(() => attack(opener, first)).toThrow(why)
  })

  test('a frame reflected to its sender is refused', () => {
    const ours = { send: directionKeys(1), receive: directionKeys(2) }
    expect(() => new Opener(ours.receive).open(frameOf(new Sealer(ours.send), 'x'))).toThrow('signature')
  })

  test('every bit of a frame counts', () => {
    const frame = frameOf(new Sealer(keys), 'payload').subarray()
    const part = partOf(new Sealer(keys), Buffer.from('some bytes of a body')).subarray()
    for (const original of [frame, part]) {
      for (let bit = 32; bit < original.byteLength * 8; bit++) {
        const copy = Buffer.from(original)
        copy[bit >> 3] = copy[bit >> 3]! ^ (1 << (bit & 7))
        expect(() => new Opener(keys).open(new Uint8ArrayList(copy)), `bit ${bit}`).toThrow()
      }
    }
  })

  test('random and cut frames never open and never do worse than throw FrameError', async () => {
    const valid = frameOf(new Sealer(keys), 'a payload').subarray()
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array({ minLength: 0, maxLength: 300 }),
          fc.nat(valid.byteLength - 1).map((length) => valid.subarray(0, length)),
          fc.tuple(fc.nat(valid.byteLength - 1), fc.integer({ min: 1, max: 255 })).map(([at, mask]) => {
            const copy = Uint8Array.from(valid)
            copy[at] = copy[at]! ^ mask
            return copy
          })
        ),
        async (bytes) => {
          const opener = new Opener(keys)
          let opened = 0
          try {
            for await (const frame of splitFrames([bytes])) {
              opener.open(frame)
              opened++
            }
          } catch (error) {
            expect(error).toMatchObject({ code: 'FRAME_INVALID' })
          }
          expect(opened).toBe(0)
        }
      ),
      { numRuns: 2_000 }
    )
  })

  test('frames are found however the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ maxLength: 200 }), { maxLength: 6 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 90 })),
        async (texts, sizes) => {
          const [sealer, opener] = [new Sealer(keys), new Opener(keys)]
          const bytes = Buffer.concat(texts.map((text) => frameOf(sealer, text).subarray()))
          const chunks: Uint8Array[] = []
          for (let at = 0; at < bytes.byteLength;) {
            const size = sizes.next().value as number
            chunks.push(bytes.subarray(at, at + size))
            at += size
          }
          const read: string[] = []
          for await (const frame of splitFrames(chunks)) read.push(textOf(opener.open(frame).payload))
          expect(read).toEqual(texts.map((text) => Buffer.from(text).toString()))
        }
      ),
      { numRuns: 200 }
    )
  })

  test.each([
    ['2^31 bytes', 2 ** 31, 64],
    ['less than header and tag', 43, 64],
    ['a control frame over 64 KiB', 64 * 1024 + 1, 1],
    ['a data frame over 1 MiB', 1024 * 1024 + 1, 64]
  ])('a length of %s is refused before its bytes come', async (_, length, type) => {
    const start = Buffer.alloc(5)
    start.writeUInt32BE(length)
    start[4] = type
    async function* stalled(): AsyncGenerator<Uint8Array> {
      yield start
      await new Promise<never>(() => {})
    }
    await expect(splitFrames(stalled()).next()).rejects.toMatchObject({ code: 'FRAME_INVALID' })
  })

  test('a stream that ends inside a frame is an error', async () => {
    const frame = frameOf(new Sealer(keys), 'x').subarray()
    await expect(splitFrames([frame.subarray(0, 20)]).next()).rejects.toMatchObject({ code: 'FRAME_INVALID' })
  })
})
