import { Uint8ArrayList } from 'uint8arraylist'
import { FrameError } from './errors.ts'
import {
  FIRST_DATA_TYPE,
  MAX_CONTROL_TRANSFER_BYTES,
  MAX_OPEN_TRANSFER_BYTES,
  MAX_OPEN_TRANSFERS,
  MAX_TRANSFER_BYTES,
  PART_BYTES
} from './limits.ts'
import { PART_TYPE } from './messages.ts'
import { allocatePartHead, asBuffer, PART_HEADER_BYTES, PAYLOAD_AT, reopen } from './seal.ts'
import type { ReceiveShare } from './receive-budget.ts'
import type { OpenedFrame } from './seal.ts'

// A part's payload, big-endian:
//   u32 transfer | u8 type of the message | u8 flags (1: abandoned) | u16 0 | u32 bytes of the message
//   16 bytes GMAC | the message's next bytes
// The last part is the one that completes the message. An abandoned transfer ends with an empty part of flag 1, which
// this version understands and does not send.

const BYTES_AT = PART_HEADER_BYTES + 16
const ABANDONED = 1

/** A frame but for its signature: everything before the bytes, and the bytes, which are not copied. */
export interface OutgoingPart {
  readonly head: Buffer
  readonly bytes: Uint8Array
}

/** A message on its way out, cut into parts as they are written. */
export class OutgoingTransfer {
  readonly bytes: number
  readonly #transfer: number
  readonly #type: number
  readonly #pieces: readonly Uint8Array[]
  #piece = 0
  #offset = 0
  #remaining: number

  constructor(transfer: number, type: number, pieces: readonly Uint8Array[], bytes: number) {
    this.#transfer = transfer
    this.#type = type
    this.#pieces = pieces
    this.bytes = bytes
    this.#remaining = bytes
  }

  get remainingBytes(): number {
    return this.#remaining
  }

  next(): OutgoingPart {
    const piece = this.#pieces[this.#piece] as Uint8Array
    const bytes = piece.subarray(this.#offset, this.#offset + PART_BYTES)
    this.#offset += bytes.byteLength
    this.#remaining -= bytes.byteLength
    if (this.#offset === piece.byteLength) {
      this.#piece++
      this.#offset = 0
    }
    return { head: this.#head(), bytes }
  }

  #head(): Buffer {
    const head = allocatePartHead()
    let at = head.writeUInt32BE(this.#transfer, PAYLOAD_AT)
    at = head.writeUInt8(this.#type, at)
    at = head.writeUInt8(0, at)
    at = head.writeUInt16BE(0, at)
    head.writeUInt32BE(this.bytes, at)
    return head
  }
}

interface IncomingTransfer {
  readonly type: number
  readonly message: Buffer
  receivedBytes: number
}

/** Puts the parts that one peer sends together again. */
export class PartAssembler {
  readonly #transfers = new Map<number, IncomingTransfer>()
  readonly #share: Pick<ReceiveShare, 'add'>
  #openBytes = 0

  /** @param share what of the process's memory is used is counted here */
  constructor(share: Pick<ReceiveShare, 'add'>) {
    this.#share = share
  }

  /**
   * Takes one part; returns the whole message when this part was its last.
   *
   * @throws {FrameError} when the part contradicts an earlier one or a limit
   */
  accept(part: OpenedFrame): OpenedFrame | undefined {
    const header = asBuffer(part.payload.subarray(0, PART_HEADER_BYTES))
    const id = header.readUInt32BE(0)
    const type = header.readUInt8(4)
    const total = header.readUInt32BE(8)
    const transfer = this.#transfers.get(id) ?? this.#open(id, type, total)
    if (transfer.type !== type || transfer.message.byteLength !== total) {
      throw new FrameError(`part: transfer ${id} changed its type or size`)
    }
    if ((header.readUInt8(5) & ABANDONED) !== 0) {
      this.#close(id, transfer)
      return undefined
    }
    const bytes = part.payload.sublist(BYTES_AT)
    if (bytes.byteLength === 0 || transfer.receivedBytes + bytes.byteLength > total) {
      throw new FrameError(
        `part: transfer ${id} of ${total} bytes cannot take ${bytes.byteLength} more bytes`
      )
    }
    for (const piece of bytes) {
      transfer.message.set(piece, transfer.receivedBytes)
      transfer.receivedBytes += piece.byteLength
    }
    this.#share.add(bytes.byteLength)
    if (transfer.receivedBytes < total) return undefined
    this.#close(id, transfer)
    return reopen(part, type, new Uint8ArrayList(transfer.message))
  }

  #open(id: number, type: number, total: number): IncomingTransfer {
    const max = type < FIRST_DATA_TYPE ? MAX_CONTROL_TRANSFER_BYTES : MAX_TRANSFER_BYTES
    if (type === PART_TYPE || total === 0 || total > max) {
      throw new FrameError(`part: transfer ${id} of type ${type}: expected 1 to ${max} bytes, got ${total}`)
    }
    if (this.#transfers.size >= MAX_OPEN_TRANSFERS || this.#openBytes + total > MAX_OPEN_TRANSFER_BYTES) {
      throw new FrameError(`part: transfer ${id} is one too many: ${this.#openBytes} bytes are open already`)
    }
    // Memory that was never written costs nothing yet, so a peer has to send what it wants us to spend.
    const transfer = { type, message: Buffer.allocUnsafeSlow(total), receivedBytes: 0 }
    this.#transfers.set(id, transfer)
    this.#openBytes += total
    return transfer
  }

  #close(id: number, transfer: IncomingTransfer): void {
    this.#transfers.delete(id)
    this.#openBytes -= transfer.message.byteLength
    this.#share.add(-transfer.receivedBytes)
  }
}
