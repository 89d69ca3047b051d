import { encodeControl } from './control.ts'
import { MessageTooLargeError } from './errors.ts'
import { jobBytes, jobsHeaderBytes, writeJobsHeader } from './layout-jobs.ts'
import { resultBytes, resultsHeaderBytes, writeResultsHeader } from './layout-results.ts'
import {
  FRAME_HEADER_BYTES,
  FRAME_TAG_BYTES,
  MAX_BATCH_ITEMS,
  MAX_BODY_BYTES,
  MAX_CONTROL_FRAME_BYTES,
  MAX_CONTROL_TRANSFER_BYTES,
  MAX_WHOLE_PAYLOAD_BYTES
} from './limits.ts'
import { MESSAGE_TYPES } from './messages.ts'
import type {
  BlobMessage,
  ControlMessage,
  JobResult,
  JobsMessage,
  Message,
  ResultsMessage
} from './messages.ts'
import { allocateFrame, PAYLOAD_AT } from './seal.ts'

/** A message ready to be signed: whole in a frame with room for header and tag, or in pieces that are sent in parts. */
export type Encoded =
  | { readonly kind: 'frame'; readonly type: number; readonly frame: Buffer }
  | {
      readonly kind: 'transfer'
      readonly type: number
      readonly pieces: readonly Uint8Array[]
      readonly bytes: number
    }

const MAX_CONTROL_PAYLOAD_BYTES = MAX_CONTROL_FRAME_BYTES - FRAME_HEADER_BYTES - FRAME_TAG_BYTES

type Job = JobsMessage['jobs'][number]

/**
 * A message as one or more encoded messages: batches are cut so that small items travel in whole frames and a large
 * item on its own. Small bodies are copied, large ones are not and must not change until they are sent.
 *
 * @throws {MessageTooLargeError} when a body is over {@link MAX_BODY_BYTES}
 * @throws {RangeError} when a number does not fit its field
 */
export function encodeMessage(message: Message): Encoded[] {
  if (message.type === 'blob') return [encodeBlob(message)]
  if (message.type === 'jobs') {
    const groups = cutBatch(message.jobs, jobBytes, jobsHeaderBytes(message, 0))
    return groups.map((jobs) => encodeJobs(message, jobs))
  }
  if (message.type === 'results') {
    const groups = cutBatch(message.results, resultBytes, resultsHeaderBytes(0))
    return groups.map((results) => encodeResults(message, results))
  }
  return [encodeSmall(message)]
}

function encodeSmall(message: ControlMessage): Encoded {
  const payload = encodeControl(message)
  const type = MESSAGE_TYPES[message.type]
  if (payload.byteLength > MAX_CONTROL_TRANSFER_BYTES) {
    throw new MessageTooLargeError(
      `${message.type}: ${payload.byteLength} bytes are over the limit of ${MAX_CONTROL_TRANSFER_BYTES} bytes`
    )
  }
  if (payload.byteLength > MAX_CONTROL_PAYLOAD_BYTES) {
    return { kind: 'transfer', type, pieces: [payload], bytes: payload.byteLength }
  }
  const frame = allocateFrame(payload.byteLength)
  frame.set(payload, PAYLOAD_AT)
  return { kind: 'frame', type, frame }
}

function encodeBlob({ run, hash, bytes }: BlobMessage): Encoded {
  const type = MESSAGE_TYPES.blob
  checkBody(bytes, () => `blob ${hash}`)
  if (4 + bytes.byteLength > MAX_WHOLE_PAYLOAD_BYTES) {
    const head = Buffer.allocUnsafe(4)
    head.writeUInt32BE(run)
    return { kind: 'transfer', type, pieces: [head, bytes], bytes: 4 + bytes.byteLength }
  }
  const frame = allocateFrame(4 + bytes.byteLength)
  frame.set(bytes, frame.writeUInt32BE(run, PAYLOAD_AT))
  return { kind: 'frame', type, frame }
}

function encodeJobs(message: JobsMessage, jobs: readonly Job[]): Encoded {
  const type = MESSAGE_TYPES.jobs
  const headerBytes = jobsHeaderBytes(message, jobs.length)
  const bytes = jobs.reduce((sum, job) => sum + job.body.byteLength, headerBytes)
  if (bytes > MAX_WHOLE_PAYLOAD_BYTES) {
    for (const { job, body } of jobs) checkBody(body, () => `job ${job}`)
    const header = Buffer.allocUnsafe(headerBytes)
    writeJobsHeader(header, 0, message, jobs)
    return { kind: 'transfer', type, pieces: [header, ...jobs.map((job) => job.body)], bytes }
  }
  const frame = allocateFrame(bytes)
  let at = writeJobsHeader(frame, PAYLOAD_AT, message, jobs)
  for (const { body } of jobs) {
    frame.set(body, at)
    at += body.byteLength
  }
  return { kind: 'frame', type, frame }
}

function encodeResults(message: ResultsMessage, results: readonly JobResult[]): Encoded {
  const type = MESSAGE_TYPES.results
  const bytes = results.reduce((sum, result) => sum + resultBytes(result), resultsHeaderBytes(0))
  if (bytes > MAX_WHOLE_PAYLOAD_BYTES) {
    for (const { job, body } of results) checkBody(body, () => `result of job ${job}`)
    const header = Buffer.allocUnsafe(resultsHeaderBytes(results.length))
    writeResultsHeader(header, 0, message.run, results)
    const pieces = results.flatMap(({ code, body }) =>
      code === undefined ? [body] : [Buffer.from(code), body]
    )
    return { kind: 'transfer', type, pieces: [header, ...pieces], bytes }
  }
  const frame = allocateFrame(bytes)
  let at = writeResultsHeader(frame, PAYLOAD_AT, message.run, results)
  for (const { code, body } of results) {
    if (code !== undefined) at += frame.write(code, at, 'latin1')
    frame.set(body, at)
    at += body.byteLength
  }
  return { kind: 'frame', type, frame }
}

/** Groups that fit one frame each; an item that fits none is a group of its own. */
function cutBatch<T>(
  items: readonly T[],
  bytesOf: (item: T) => number,
  headerBytes: number
): (readonly T[])[] {
  const groups: (readonly T[])[] = []
  let start = 0
  let bytes = headerBytes
  for (let index = 0; index < items.length; index++) {
    const itemBytes = bytesOf(items[index] as T)
    const isFull = bytes + itemBytes > MAX_WHOLE_PAYLOAD_BYTES || index - start === MAX_BATCH_ITEMS
    if (isFull && index > start) {
      groups.push(items.slice(start, index))
      start = index
      bytes = headerBytes
    }
    bytes += itemBytes
  }
  groups.push(start === 0 ? items : items.slice(start))
  return groups
}

function checkBody(body: Uint8Array, describeBody: () => string): void {
  if (body.byteLength <= MAX_BODY_BYTES) return
  throw new MessageTooLargeError(
    `${describeBody()}: ${body.byteLength} bytes are over the limit of ${MAX_BODY_BYTES} bytes`
  )
}
