import { createHash } from 'node:crypto'
import { decodeControl } from './control.ts'
import { FrameError } from './errors.ts'
import { decodeJobs } from './layout-jobs.ts'
import { decodeResults } from './layout-results.ts'
import { MESSAGE_TYPES } from './messages.ts'
import type { BlobMessage, Message } from './messages.ts'
import { asBuffer } from './seal.ts'
import type { OpenedFrame } from './seal.ts'

const NAMES: ReadonlyMap<number, Message['type']> = new Map(
  (Object.keys(MESSAGE_TYPES) as Message['type'][]).map((name) => [MESSAGE_TYPES[name], name])
)

/**
 * The message in a verified frame; `undefined` for a type this version does not know, which is to be skipped.
 *
 * @throws {FrameError} when the payload is not a message of its type
 */
export function decodeMessage(frame: OpenedFrame): Message | undefined {
  const type = NAMES.get(frame.type)
  if (type === undefined) return undefined
  const payload = asBuffer(frame.payload.subarray())
  if (type === 'blob') return decodeBlob(payload)
  if (type === 'jobs') return decodeJobs(payload)
  if (type === 'results') return decodeResults(payload)
  return decodeControl(type, payload)
}

function decodeBlob(payload: Buffer): BlobMessage {
  if (payload.byteLength < 4) throw new FrameError('blob: expected at least 4 bytes')
  const bytes = payload.subarray(4)
  // Computed, never received: a blob cannot come under the name of another.
  const hash = createHash('sha256').update(bytes).digest('hex')
  return { type: 'blob', run: payload.readUInt32BE(0), hash, bytes }
}
