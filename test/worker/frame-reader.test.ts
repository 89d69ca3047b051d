import { array, assert, integer, oneof, property, uint8Array } from 'fast-check'
import { expect, test } from 'vitest'
import { WorkerFrameError } from '../../src/worker/errors.ts'
import { FrameReader } from '../../src/worker/frame-reader.ts'

/** Feeds bytes in pieces of these sizes, as a pipe would; gives the frames. */
function read(reader: FrameReader, bytes: Uint8Array, sizes: number[]): Uint8Array[] {
  const frames: Uint8Array[] = []
  let at = 0
  for (let turn = 0; at < bytes.length; turn++) {
    const target = reader.target()
    const count = Math.min(sizes[turn % sizes.length] ?? 1, target.length, bytes.length - at)
    target.set(bytes.subarray(at, at + count))
    at += count
    frames.push(...reader.advance(count))
  }
  return frames
}

function pack(frames: Uint8Array[]): Buffer {
  return Buffer.concat(
    frames.flatMap((frame) => {
      const length = Buffer.alloc(4)
      length.writeUInt32BE(frame.length)
      return [length, frame]
    })
  )
}

test('frames come out as they went in, however the pipe cuts them', () => {
  const frame = oneof(
    uint8Array({ minLength: 1, maxLength: 50 }),
    integer({ min: 1, max: 700_000 }).map((length) => new Uint8Array(length).fill(length % 251))
  )
  const sizes = array(oneof(integer({ min: 1, max: 40 }), integer({ min: 1000, max: 300_000 })), {
    minLength: 1
  })
  assert(
    property(array(frame, { maxLength: 12 }), sizes, (frames, sizes) => {
      const small = frames.reduce((sum, each) => sum + each.length, 0) < 20_000
      const reader = new FrameReader(1_000_000)
      const out = read(reader, pack(frames), small ? sizes : [65_536, ...sizes.filter((size) => size > 1000)])
      expect(out.length).toBe(frames.length)
      for (const [index, each] of out.entries())
        expect(Buffer.compare(each, frames[index] as Uint8Array)).toBe(0)
      expect(reader.unfinishedBytes).toBe(0)
    }),
    { numRuns: 100 }
  )
})

test('frames given out are not overwritten by later ones', () => {
  const reader = new FrameReader(1000)
  const [first] = read(reader, pack([Buffer.from('first')]), [100])
  read(reader, pack([Buffer.from('other')]), [100])
  expect(Buffer.from(first as Uint8Array).toString()).toBe('first')
})

test.each([
  ['empty', 0],
  ['over the limit', 1001],
  ['4 GiB', 0xffffffff]
])('a length that is %s is refused before memory is taken', (_name, length) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(length)
  expect(() => read(new FrameReader(1000), bytes, [4])).toThrow(WorkerFrameError)
})
