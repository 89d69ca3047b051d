import { FrameError } from './errors.ts'

/** Bytes of the argument behind a first byte, by its lower five bits, from 24 (RFC 8949, section 3). */
const ARGUMENT_BYTES = [1, 2, 4, 8] as const

const BYTES = 2
const TEXT = 3
const ARRAY = 4
const MAP = 5
const TAG = 6
const SIMPLE = 7

/**
 * Counts the items of CBOR before they are decoded, without making anything of them: an empty map has one byte on the wire
 * and hundreds in memory, so that the length of a message says little about what it costs.
 *
 * @throws {FrameError} when there are more than `max`, or the bytes are not one item of definite length
 */
export function countItems(bytes: Uint8Array, max: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let [count, expected, at] = [0, 1, 0]
  while (expected > 0) {
    if (at >= bytes.length) throw new FrameError('expected one item of CBOR, got less')
    const first = view.getUint8(at++)
    const [major, information] = [first >> 5, first & 0x1f]
    const length = information < 24 ? 0 : ARGUMENT_BYTES[information - 24]
    if (length === undefined || at + length > bytes.length) {
      throw new FrameError('expected CBOR of definite lengths, got something else')
    }
    const argument = information < 24 ? information : readArgument(view, at, length)
    at += length
    expected--
    if (major === BYTES || major === TEXT) at += argument
    else if (major === ARRAY) expected += argument
    else if (major === MAP) expected += 2 * argument
    else if (major === TAG) expected++
    else if (major === SIMPLE && information > 27) throw new FrameError('expected CBOR, got something else')
    count++
    // What is announced will be decoded, if it comes: each item has at least a byte.
    if (count + expected > max) throw new FrameError(`expected at most ${max} items of CBOR, got more`)
  }
  return count
}

function readArgument(view: DataView, at: number, length: number): number {
  if (length === 1) return view.getUint8(at)
  if (length === 2) return view.getUint16(at)
  if (length === 4) return view.getUint32(at)
  return Number(view.getBigUint64(at))
}
