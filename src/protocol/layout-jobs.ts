import { FrameError } from './errors.ts'
import { MAX_BATCH_BLOBS, MAX_BATCH_ITEMS } from './limits.ts'
import type { JobsMessage } from './messages.ts'

// A jobs message, big-endian:
//   u32 run | u32 timeoutMs | u8 flags (1: head, 2: once) | u8 0 | u16 blobs | u32 jobs
//   32 bytes head, with flag 1 | blobs x 32 bytes | jobs x (u32 job | u16 attempt | u32 length) | bodies

const FIXED_BYTES = 16
const HASH_BYTES = 32
const ROW_BYTES = 10
const HAS_HEAD = 1
const ONCE = 2

type Job = JobsMessage['jobs'][number]

export function jobsHeaderBytes(message: JobsMessage, jobCount: number): number {
  const hashes = message.blobs.length + (message.head === undefined ? 0 : 1)
  return FIXED_BYTES + hashes * HASH_BYTES + jobCount * ROW_BYTES
}

/** Bytes one job adds to a message. */
export function jobBytes(job: Job): number {
  return ROW_BYTES + job.body.byteLength
}

/** Writes everything but the bodies; returns the offset behind it. */
export function writeJobsHeader(
  target: Buffer,
  start: number,
  message: JobsMessage,
  jobs: readonly Job[]
): number {
  let at = target.writeUInt32BE(message.run, start)
  at = target.writeUInt32BE(message.timeoutMs, at)
  at = target.writeUInt8((message.head === undefined ? 0 : HAS_HEAD) | (message.once === true ? ONCE : 0), at)
  at = target.writeUInt8(0, at)
  at = target.writeUInt16BE(message.blobs.length, at)
  at = target.writeUInt32BE(jobs.length, at)
  if (message.head !== undefined) at = writeHash(target, message.head, at)
  for (const hash of message.blobs) at = writeHash(target, hash, at)
  for (const { job, attempt, body } of jobs) {
    at = target.writeUInt32BE(job, at)
    at = target.writeUInt16BE(attempt, at)
    at = target.writeUInt32BE(body.byteLength, at)
  }
  return at
}

function writeHash(target: Buffer, hash: string, at: number): number {
  const written = target.write(hash, at, HASH_BYTES, 'hex')
  if (written !== HASH_BYTES)
    throw new RangeError(`blob hash: expected 64 hexadecimal digits, got ${hash.length} characters`)
  return at + HASH_BYTES
}

/** Bodies are views of `payload`. @throws {FrameError} when a count or length does not fit the bytes exactly */
export function decodeJobs(payload: Buffer): JobsMessage {
  if (payload.byteLength < FIXED_BYTES) throw new FrameError(`jobs: expected at least ${FIXED_BYTES} bytes`)
  const run = payload.readUInt32BE(0)
  const timeoutMs = payload.readUInt32BE(4)
  const flags = payload.readUInt8(8)
  const hasHead = (flags & HAS_HEAD) !== 0
  const blobCount = payload.readUInt16BE(10)
  const jobCount = payload.readUInt32BE(12)
  const hashCount = blobCount + (hasHead ? 1 : 0)
  const bodiesAt = FIXED_BYTES + hashCount * HASH_BYTES + jobCount * ROW_BYTES
  if (blobCount > MAX_BATCH_BLOBS || jobCount > MAX_BATCH_ITEMS || bodiesAt > payload.byteLength) {
    throw new FrameError(
      `jobs: ${blobCount} blobs and ${jobCount} jobs do not fit ${payload.byteLength} bytes`
    )
  }
  let at = FIXED_BYTES
  const hashes: string[] = []
  for (let index = 0; index < hashCount; index++) {
    hashes.push(payload.toString('hex', at, at + HASH_BYTES))
    at += HASH_BYTES
  }
  const jobs: Job[] = []
  let bodyAt = bodiesAt
  for (let index = 0; index < jobCount; index++) {
    const end = bodyAt + payload.readUInt32BE(at + 6)
    if (end > payload.byteLength) throw new FrameError('jobs: a body ends behind the message')
    jobs.push({
      job: payload.readUInt32BE(at),
      attempt: payload.readUInt16BE(at + 4),
      // Half the price of Buffer.subarray, and there may be thousands.
      body: new Uint8Array(payload.buffer, payload.byteOffset + bodyAt, end - bodyAt)
    })
    at += ROW_BYTES
    bodyAt = end
  }
  if (bodyAt !== payload.byteLength) throw new FrameError('jobs: bytes left over behind the last body')
  const head = hasHead ? hashes.shift() : undefined
  return {
    type: 'jobs',
    run,
    timeoutMs,
    ...(head === undefined ? {} : { head }),
    blobs: hashes,
    ...((flags & ONCE) === 0 ? {} : { once: true }),
    jobs
  }
}
