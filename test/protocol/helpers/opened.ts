import { Uint8ArrayList } from 'uint8arraylist'
import { decodeMessage } from '../../../src/protocol/decode.ts'
import type { Encoded } from '../../../src/protocol/encode.ts'
import type { Message } from '../../../src/protocol/messages.ts'
import { allocateFrame, Opener, PAYLOAD_AT, Sealer } from '../../../src/protocol/seal.ts'
import type { OpenedFrame } from '../../../src/protocol/seal.ts'
import { directionKeys } from './keys.ts'

const keys = directionKeys(3)

/** A verified frame with any payload: what a member of the mesh that lies could send. */
export function openedFrame(type: number, payload: Uint8Array): OpenedFrame {
  const frame = allocateFrame(payload.byteLength)
  frame.set(payload, PAYLOAD_AT)
  new Sealer(keys).seal(type, frame)
  return new Opener(keys).open(new Uint8ArrayList(frame))
}

/** What arrives of a message that was encoded. */
export function decodeAgain(encoded: Encoded): Message | undefined {
  const payload =
    encoded.kind === 'transfer' ? Buffer.concat(encoded.pieces) : encoded.frame.subarray(PAYLOAD_AT, -32)
  return decodeMessage(openedFrame(encoded.type, payload))
}
