import { createHmac, timingSafeEqual } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { Uint8ArrayList } from 'uint8arraylist'
import { FrameError } from './errors.ts'
import { FRAME_HEADER_BYTES, FRAME_TAG_BYTES } from './limits.ts'

// A frame, big-endian:
//   u32 length of what follows | u8 type | u8 flags 0 | u16 0 | u64 sequence number | payload | 32 bytes HMAC-SHA256
// The HMAC covers everything between the length and itself. The length needs no cover: another one moves the HMAC.

const LENGTH_BYTES = 4
const SEQUENCE_AT = LENGTH_BYTES + 4
export const PAYLOAD_AT: number = LENGTH_BYTES + FRAME_HEADER_BYTES

declare const verified: unique symbol

/** A frame whose HMAC and sequence number were checked. Only {@link Opener} makes one, so nothing else can be parsed. */
export interface OpenedFrame {
  readonly type: number
  readonly payload: Uint8ArrayList
  readonly [verified]: true
}

/** A buffer with room for header and tag around a payload of this many bytes, which goes to {@link PAYLOAD_AT}. */
export function allocateFrame(payloadBytes: number): Buffer {
  return Buffer.allocUnsafe(PAYLOAD_AT + payloadBytes + FRAME_TAG_BYTES)
}

/** Signs the frames of one direction of one session, in the order they are written. */
export class Sealer {
  readonly #key: KeyObject
  #sequence = 0

  constructor(key: KeyObject) {
    this.#key = key
  }

  /** Completes a buffer of {@link allocateFrame} in place. */
  seal(type: number, frame: Buffer): void {
    const tagAt = frame.byteLength - FRAME_TAG_BYTES
    this.#writeHeader(type, frame, frame.byteLength)
    createHmac('sha256', this.#key).update(frame.subarray(LENGTH_BYTES, tagAt)).digest().copy(frame, tagAt)
  }

  /** Signs a payload that stays where it is: `head` begins with the room for the header, `body` is not copied. */
  sealParts(type: number, head: Buffer, body: Uint8Array): Uint8ArrayList {
    this.#writeHeader(type, head, head.byteLength + body.byteLength + FRAME_TAG_BYTES)
    const tag = createHmac('sha256', this.#key).update(head.subarray(LENGTH_BYTES)).update(body).digest()
    return new Uint8ArrayList(head, body, tag)
  }

  #writeHeader(type: number, target: Buffer, frameBytes: number): void {
    target.writeUInt32BE(frameBytes - LENGTH_BYTES, 0)
    target.writeUInt32BE(type * 0x100_0000, LENGTH_BYTES)
    writeSequence(target, this.#sequence++)
  }
}

/** Verifies the frames of one direction of one session. */
export class Opener {
  readonly #key: KeyObject
  #expected = 0

  constructor(key: KeyObject) {
    this.#key = key
  }

  /**
   * Checks a frame of a length already found in bounds: first its HMAC, then its sequence number.
   *
   * @throws {FrameError} when the frame was not signed in this session and direction, or is not the next one
   */
  open(frame: Uint8ArrayList): OpenedFrame {
    const tagAt = frame.byteLength - FRAME_TAG_BYTES
    const hmac = createHmac('sha256', this.#key)
    for (const bytes of frame.sublist(LENGTH_BYTES, tagAt)) hmac.update(bytes)
    if (!timingSafeEqual(hmac.digest(), frame.subarray(tagAt))) {
      throw new FrameError(
        'frame: the signature does not match; expected one made with the key of this session'
      )
    }
    const header = asBuffer(frame.subarray(0, PAYLOAD_AT))
    const sequence = readSequence(header)
    if (sequence !== this.#expected) {
      throw new FrameError(`frame: expected sequence number ${this.#expected}, got ${sequence}`)
    }
    if ((header.readUInt32BE(LENGTH_BYTES) & 0xff_ffff) !== 0)
      throw new FrameError('frame: reserved bytes are not 0')
    this.#expected++
    return { type: header.readUInt8(LENGTH_BYTES), payload: frame.sublist(PAYLOAD_AT, tagAt) } as OpenedFrame
  }
}

/** A frame put together of nothing but verified bytes, of which `part` held the last. */
export function reopen(_part: OpenedFrame, type: number, payload: Uint8ArrayList): OpenedFrame {
  return { type, payload } as OpenedFrame
}

// 2^53 frames take a thousand years at 250,000 a second, so a number holds the count.
function writeSequence(target: Buffer, sequence: number): void {
  target.writeUInt32BE(Math.floor(sequence / 0x1_0000_0000), SEQUENCE_AT)
  target.writeUInt32BE(sequence >>> 0, SEQUENCE_AT + 4)
}

function readSequence(header: Buffer): number {
  return header.readUInt32BE(SEQUENCE_AT) * 0x1_0000_0000 + header.readUInt32BE(SEQUENCE_AT + 4)
}

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
