import { createCipheriv, createHmac, timingSafeEqual } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { Uint8ArrayList } from 'uint8arraylist'
import { FrameError } from './errors.ts'
import { FRAME_HEADER_BYTES, FRAME_TAG_BYTES } from './limits.ts'
import { PART_TYPE } from './messages.ts'

// A frame, big-endian:
//   u32 length of what follows | u8 type | u8 flags 0 | u16 0 | u64 sequence number | payload | 32 bytes HMAC-SHA256
// The HMAC covers everything between the length and itself. The length needs no cover: another one moves the HMAC.
//
// In a part of a large message the HMAC covers a GMAC (AES-256-GCM of nothing, the bytes as associated data) in place of
// the bytes themselves: SHA-256 does 1 GiB/s, GMAC 6 to 14, and a large body would otherwise be a third slower.
//   u32 length | header as above | 12 bytes part header | 16 bytes GMAC of the bytes | bytes | 32 bytes HMAC-SHA256
// Its nonce is the sequence number, so no nonce comes twice under one key.

const LENGTH_BYTES = 4
const SEQUENCE_AT = LENGTH_BYTES + 4
const GMAC_BYTES = 16
const GMAC_NONCE_BYTES = 12
export const PAYLOAD_AT: number = LENGTH_BYTES + FRAME_HEADER_BYTES
export const PART_HEADER_BYTES = 12
const PART_BYTES_AT = PAYLOAD_AT + PART_HEADER_BYTES + GMAC_BYTES

declare const verified: unique symbol

/** A frame whose HMAC and sequence number were checked. Only {@link Opener} makes one, so nothing else can be parsed. */
export interface OpenedFrame {
  readonly type: number
  readonly payload: Uint8ArrayList
  readonly [verified]: true
}

/** The keys of one direction of one session. */
export interface DirectionKeys {
  /** For the HMAC of every frame. */
  readonly frame: KeyObject
  /** For the GMAC of the bytes in a part. */
  readonly part: KeyObject
}

/** A buffer with room for header and tag around a payload of this many bytes, which goes to {@link PAYLOAD_AT}. */
export function allocateFrame(payloadBytes: number): Buffer {
  return Buffer.allocUnsafe(PAYLOAD_AT + payloadBytes + FRAME_TAG_BYTES)
}

/** A buffer for all of a part's frame that stands before its bytes; the part header goes to {@link PAYLOAD_AT}. */
export function allocatePartHead(): Buffer {
  return Buffer.allocUnsafe(PART_BYTES_AT)
}

/** Signs the frames of one direction of one session, in the order they are written. */
export class Sealer {
  readonly #keys: DirectionKeys
  #sequence = 0

  constructor(keys: DirectionKeys) {
    this.#keys = keys
  }

  /** Completes a buffer of {@link allocateFrame} in place. */
  seal(type: number, frame: Buffer): void {
    const tagAt = frame.byteLength - FRAME_TAG_BYTES
    this.#writeHeader(type, frame, frame.byteLength)
    createHmac('sha256', this.#keys.frame)
      .update(frame.subarray(LENGTH_BYTES, tagAt))
      .digest()
      .copy(frame, tagAt)
  }

  /** Completes a buffer of {@link allocatePartHead}; the bytes stay where they are. */
  sealPart(head: Buffer, bytes: Uint8Array): Uint8ArrayList {
    const sequence = this.#writeHeader(PART_TYPE, head, head.byteLength + bytes.byteLength + FRAME_TAG_BYTES)
    gmac(this.#keys.part, sequence, [bytes]).copy(head, PART_BYTES_AT - GMAC_BYTES)
    const tag = createHmac('sha256', this.#keys.frame).update(head.subarray(LENGTH_BYTES)).digest()
    return new Uint8ArrayList(head, bytes, tag)
  }

  #writeHeader(type: number, target: Buffer, frameBytes: number): number {
    const sequence = this.#sequence++
    target.writeUInt32BE(frameBytes - LENGTH_BYTES, 0)
    target.writeUInt32BE(type * 0x100_0000, LENGTH_BYTES)
    // 2^53 frames take a thousand years at 250,000 a second, so a number holds the count.
    target.writeUInt32BE(Math.floor(sequence / 0x1_0000_0000), SEQUENCE_AT)
    target.writeUInt32BE(sequence >>> 0, SEQUENCE_AT + 4)
    return sequence
  }
}

/** Verifies the frames of one direction of one session. */
export class Opener {
  readonly #keys: DirectionKeys
  #expected = 0

  constructor(keys: DirectionKeys) {
    this.#keys = keys
  }

  /**
   * Checks a frame of a length already found in bounds: first its signature, then its sequence number.
   *
   * @throws {FrameError} when the frame was not signed in this session and direction, or is not the next one
   */
  open(frame: Uint8ArrayList): OpenedFrame {
    const tagAt = frame.byteLength - FRAME_TAG_BYTES
    // Until the signature is checked the type says no more than which bytes it has to cover.
    const isPart = frame.get(LENGTH_BYTES) === PART_TYPE
    const signedEnd = isPart ? PART_BYTES_AT : tagAt
    if (signedEnd > tagAt) throw new FrameError(`part: expected a frame of at least ${PART_BYTES_AT} bytes`)
    const hmac = createHmac('sha256', this.#keys.frame)
    for (const bytes of frame.sublist(LENGTH_BYTES, signedEnd)) hmac.update(bytes)
    if (!timingSafeEqual(hmac.digest(), frame.subarray(tagAt))) throw notSigned()
    const header = asBuffer(frame.subarray(0, PAYLOAD_AT))
    const sequence = header.readUInt32BE(SEQUENCE_AT) * 0x1_0000_0000 + header.readUInt32BE(SEQUENCE_AT + 4)
    if (sequence !== this.#expected) {
      throw new FrameError(`frame: expected sequence number ${this.#expected}, got ${sequence}`)
    }
    if (isPart) this.#checkPart(frame, sequence, tagAt)
    if ((header.readUInt32BE(LENGTH_BYTES) & 0xff_ffff) !== 0)
      throw new FrameError('frame: reserved bytes are not 0')
    this.#expected++
    return { type: header.readUInt8(LENGTH_BYTES), payload: frame.sublist(PAYLOAD_AT, tagAt) } as OpenedFrame
  }

  #checkPart(frame: Uint8ArrayList, sequence: number, tagAt: number): void {
    const tag = frame.subarray(PART_BYTES_AT - GMAC_BYTES, PART_BYTES_AT)
    if (!timingSafeEqual(gmac(this.#keys.part, sequence, frame.sublist(PART_BYTES_AT, tagAt)), tag))
      throw notSigned()
  }
}

function gmac(key: KeyObject, sequence: number, bytes: Iterable<Uint8Array>): Buffer {
  const nonce = Buffer.alloc(GMAC_NONCE_BYTES)
  nonce.writeBigUInt64BE(BigInt(sequence), GMAC_NONCE_BYTES - 8)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  for (const piece of bytes) cipher.setAAD(piece)
  cipher.final()
  return cipher.getAuthTag()
}

function notSigned(): FrameError {
  return new FrameError('frame: the signature does not match; expected one made with the key of this session')
}

/** A frame put together of nothing but verified bytes, of which `part` held the last. */
export function reopen(_part: OpenedFrame, type: number, payload: Uint8ArrayList): OpenedFrame {
  return { type, payload } as OpenedFrame
}

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
