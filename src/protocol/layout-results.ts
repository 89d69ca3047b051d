import { FrameError } from './errors.ts'
import { MAX_BATCH_ITEMS } from './limits.ts'
import type { JobResult, ResultsMessage } from './messages.ts'

// A results message, big-endian:
//   u32 run | u32 results
//   results x (u32 job | u16 attempt | u8 flags (1: ok) | u8 code length | u48 micros | u32 body length)
//   results x (code in ASCII | body)

const FIXED_BYTES = 8
const ROW_BYTES = 18
const OK = 1
const MAX_MICROS = 2 ** 48 - 1
const CODE = /^[A-Z][A-Z0-9_]{0,62}$/

export function resultsHeaderBytes(count: number): number {
  return FIXED_BYTES + count * ROW_BYTES
}

/** Bytes one result adds to a message. */
export function resultBytes(result: JobResult): number {
  return ROW_BYTES + (result.code?.length ?? 0) + result.body.byteLength
}

/** Writes the rows, without codes and bodies; returns the offset behind them. */
export function writeResultsHeader(
  target: Buffer,
  start: number,
  run: number,
  results: readonly JobResult[]
): number {
  let at = target.writeUInt32BE(run, start)
  at = target.writeUInt32BE(results.length, at)
  for (const { job, attempt, ok, code, micros, body } of results) {
    if (code !== undefined && !CODE.test(code)) {
      throw new RangeError(
        `result code: expected upper-case letters, digits and _, got ${JSON.stringify(code)}`
      )
    }
    at = target.writeUInt32BE(job, at)
    at = target.writeUInt16BE(attempt, at)
    at = target.writeUInt8(ok ? OK : 0, at)
    at = target.writeUInt8(code?.length ?? 0, at)
    const wholeMicros = Math.min(Math.max(Math.round(micros), 0), MAX_MICROS)
    at = target.writeUInt16BE(Math.floor(wholeMicros / 0x1_0000_0000), at)
    at = target.writeUInt32BE(wholeMicros >>> 0, at)
    at = target.writeUInt32BE(body.byteLength, at)
  }
  return at
}

/** Bodies are views of `payload`. @throws {FrameError} when a count or length does not fit the bytes exactly */
export function decodeResults(payload: Buffer): ResultsMessage {
  if (payload.byteLength < FIXED_BYTES)
    throw new FrameError(`results: expected at least ${FIXED_BYTES} bytes`)
  const run = payload.readUInt32BE(0)
  const count = payload.readUInt32BE(4)
  let at = FIXED_BYTES
  let valueAt = at + count * ROW_BYTES
  if (count > MAX_BATCH_ITEMS || valueAt > payload.byteLength) {
    throw new FrameError(`results: ${count} results do not fit ${payload.byteLength} bytes`)
  }
  const results: JobResult[] = []
  for (let index = 0; index < count; index++) {
    const codeEnd = valueAt + payload.readUInt8(at + 7)
    const end = codeEnd + payload.readUInt32BE(at + 14)
    if (end > payload.byteLength) throw new FrameError('results: a body ends behind the message')
    results.push({
      job: payload.readUInt32BE(at),
      attempt: payload.readUInt16BE(at + 4),
      ok: (payload.readUInt8(at + 6) & OK) !== 0,
      ...(codeEnd === valueAt ? {} : { code: readCode(payload, valueAt, codeEnd) }),
      micros: payload.readUInt16BE(at + 8) * 0x1_0000_0000 + payload.readUInt32BE(at + 10),
      // Half the price of Buffer.subarray, and there may be thousands.
      body: new Uint8Array(payload.buffer, payload.byteOffset + codeEnd, end - codeEnd)
    })
    at += ROW_BYTES
    valueAt = end
  }
  if (valueAt !== payload.byteLength) throw new FrameError('results: bytes left over behind the last body')
  return { type: 'results', run, results }
}

function readCode(payload: Buffer, start: number, end: number): string {
  const code = payload.toString('latin1', start, end)
  if (!CODE.test(code)) throw new FrameError('results: a code has other characters than A-Z, 0-9 and _')
  return code
}
