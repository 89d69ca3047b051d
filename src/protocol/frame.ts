import { Uint8ArrayList } from 'uint8arraylist'
import { FrameError } from './errors.ts'
import {
  FIRST_DATA_TYPE,
  FRAME_HEADER_BYTES,
  FRAME_TAG_BYTES,
  MAX_CONTROL_FRAME_BYTES,
  MAX_DATA_FRAME_BYTES
} from './limits.ts'
import { asBuffer } from './seal.ts'

const LENGTH_BYTES = 4
const MIN_LENGTH = FRAME_HEADER_BYTES + FRAME_TAG_BYTES

/**
 * Cuts a stream of bytes into frames, length included. A length over its limit is refused as soon as it is known,
 * before what it promises is stored; nothing else in a frame is looked at but its type, which chooses the limit.
 *
 * @throws {FrameError} when a length is out of bounds or the bytes end inside a frame
 */
export async function* splitFrames(
  source: Iterable<Uint8Array | Uint8ArrayList> | AsyncIterable<Uint8Array | Uint8ArrayList>
): AsyncGenerator<Uint8ArrayList> {
  const received = new Uint8ArrayList()
  let frameBytes = 0
  for await (const chunk of source) {
    received.append(chunk)
    for (;;) {
      if (frameBytes === 0) frameBytes = readFrameBytes(received)
      if (frameBytes === 0 || received.byteLength < frameBytes) break
      const frame = received.sublist(0, frameBytes)
      received.consume(frameBytes)
      frameBytes = 0
      yield frame
    }
  }
  if (received.byteLength > 0)
    throw new FrameError(`frame: the stream ended ${received.byteLength} bytes into a frame`)
}

/** Bytes of the frame that begins here, or 0 when too little has come to tell. */
function readFrameBytes(received: Uint8ArrayList): number {
  if (received.byteLength < LENGTH_BYTES) return 0
  const start = asBuffer(received.subarray(0, Math.min(received.byteLength, LENGTH_BYTES + 1)))
  const length = start.readUInt32BE(0)
  if (length < MIN_LENGTH || length > MAX_DATA_FRAME_BYTES) throw outOfBounds(length, MAX_DATA_FRAME_BYTES)
  if (length > MAX_CONTROL_FRAME_BYTES) {
    if (start.byteLength <= LENGTH_BYTES) return 0
    if (start.readUInt8(LENGTH_BYTES) < FIRST_DATA_TYPE) throw outOfBounds(length, MAX_CONTROL_FRAME_BYTES)
  }
  return LENGTH_BYTES + length
}

function outOfBounds(length: number, max: number): FrameError {
  return new FrameError(`frame: expected a length from ${MIN_LENGTH} to ${max} bytes, got ${length}`)
}
