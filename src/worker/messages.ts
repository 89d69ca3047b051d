/**
 * What a node and its worker processes say to each other, over two pipes: every frame, to and from bytes.
 *
 * Not Node's own channel (`stdio: 'ipc'`): there a child can make its parent open handles, or feed it serialized
 * objects. Here the parent reads numbers and opaque bytes, each checked against the frame's exact length; job and
 * result bodies are never decoded on this side.
 */
import { WorkerFrameError } from './errors.ts'

/** Parent to child. Append only. */
export const TO_CHILD = { hello: 0, open: 1, blob: 2, jobs: 3 } as const

/** Child to parent. Append only. */
export const FROM_CHILD = { ready: 0, hello: 1, started: 2, result: 3, log: 4 } as const

export const HASH_BYTES = 32
const RESULT_HEADER_BYTES = 15

export interface JobBytes {
  readonly job: number
  readonly body: Uint8Array
}

export type ToChild =
  | { type: 'hello'; nonce: Uint8Array }
  | { type: 'open'; maxResultBytes: number; setup: Uint8Array | undefined }
  | { type: 'blob'; hash: string; bytes: Uint8Array }
  | { type: 'jobs'; head: string | undefined; timed: boolean; jobs: JobsInFrame }

export type FromChild =
  | { type: 'ready' }
  | { type: 'hello'; answer: Uint8Array }
  | { type: 'started'; job: number }
  | { type: 'log'; job: number; stream: 'stdout' | 'stderr'; text: string }

/** Proves that a child reads, compiles, runs and answers: `WorkerProcess.hello` knows what comes out. */
export const HELLO_JOB = '(nonce) => nonce.map((byte, index) => byte ^ (index * 7))'

export function encodeHello(nonce: Uint8Array): Buffer[] {
  return [header(TO_CHILD.hello, 0, nonce.length), Buffer.from(nonce)]
}

export function encodeOpen(maxResultBytes: number, setup: Uint8Array | undefined): Uint8Array[] {
  const bytes = header(TO_CHILD.open, 5, setup?.length ?? 0)
  bytes.writeUInt32BE(maxResultBytes, 5)
  bytes[9] = setup === undefined ? 0 : 1
  return setup === undefined ? [bytes] : [bytes, setup]
}

export function encodeBlob(hash: string, blob: Uint8Array): Uint8Array[] {
  const bytes = header(TO_CHILD.blob, HASH_BYTES, blob.length)
  bytes.write(hash, 5, 'hex')
  return [bytes, blob]
}

/** Below this a body is copied behind its header: one piece of memory to write is quicker than two. */
const COPIED_BODY_BYTES = 16 * 1024

/** Jobs of one function and limit, in the order they will run. Large bodies are passed on as they are. */
export function encodeJobs(
  head: string | undefined,
  timed: boolean,
  jobs: readonly JobBytes[]
): Uint8Array[] {
  const small = jobs.every((job) => job.body.length <= COPIED_BODY_BYTES)
  const fixed = 1 + (head === undefined ? 0 : HASH_BYTES)
  const bodyBytes = jobs.reduce((sum, job) => sum + job.body.length, 0)
  const payload = fixed + jobs.length * 8 + bodyBytes
  const first = Buffer.allocUnsafe(small ? 5 + payload : 5 + fixed)
  first.writeUInt32BE(1 + payload, 0)
  first[4] = TO_CHILD.jobs
  first[5] = (head === undefined ? 0 : 1) | (timed ? 2 : 0)
  if (head !== undefined) first.write(head, 6, 'hex')
  if (!small) return [first, ...jobs.flatMap(jobPieces)]
  let at = 5 + fixed
  for (const { job, body } of jobs) {
    first.writeUInt32BE(job, at)
    first.writeUInt32BE(body.length, at + 4)
    first.set(body, at + 8)
    at += 8 + body.length
  }
  return [first]
}

function jobPieces({ job, body }: JobBytes): Uint8Array[] {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeUInt32BE(job, 0)
  bytes.writeUInt32BE(body.length, 4)
  return [bytes, body]
}

function header(type: number, fixedBytes: number, restBytes: number): Buffer {
  const bytes = Buffer.allocUnsafe(5 + fixedBytes)
  bytes.writeUInt32BE(1 + fixedBytes + restBytes, 0)
  bytes[4] = type
  return bytes
}

/** Runs in the worker process. The parent is trusted: lengths are checked to find mistakes, not attacks. */
export function decodeToChild(frame: Uint8Array): ToChild {
  const bytes = view(frame)
  switch (bytes[0] as number) {
    case TO_CHILD.hello:
      return { type: 'hello', nonce: bytes.subarray(1) }
    case TO_CHILD.open: {
      const setup = bytes[5] === 1 ? bytes.subarray(6) : undefined
      return { type: 'open', maxResultBytes: bytes.readUInt32BE(1), setup }
    }
    case TO_CHILD.blob:
      return {
        type: 'blob',
        hash: bytes.toString('hex', 1, 1 + HASH_BYTES),
        bytes: bytes.subarray(1 + HASH_BYTES)
      }
    case TO_CHILD.jobs:
      return decodeJobs(bytes)
    default:
      throw new WorkerFrameError(`unknown frame type ${bytes[0]} from the parent`)
  }
}

function decodeJobs(bytes: Buffer): ToChild {
  const flags = bytes[1] ?? 0
  const head = (flags & 1) === 0 ? undefined : bytes.toString('hex', 2, 2 + HASH_BYTES)
  const jobs = new JobsInFrame(bytes, head === undefined ? 2 : 2 + HASH_BYTES)
  return { type: 'jobs', head, timed: (flags & 2) !== 0, jobs }
}

/** The jobs of one frame, each made when its turn has come: of the smallest there are two thousand in a frame. */
export class JobsInFrame {
  readonly #bytes: Buffer
  #at: number

  constructor(bytes: Buffer, start: number) {
    this.#bytes = bytes
    this.#at = start
  }

  next(): JobBytes | undefined {
    const bytes = this.#bytes
    if (this.#at === bytes.length) return undefined
    const start = this.#at + 8
    const length = bytes.readUInt32BE(this.#at + 4)
    if (start + length > bytes.length) throw new WorkerFrameError('job body longer than its frame')
    const job = bytes.readUInt32BE(this.#at)
    this.#at = start + length
    return { job, body: new Uint8Array(bytes.buffer, bytes.byteOffset + start, length) }
  }
}

/** Runs in the worker process: writes a result's frame before its body into `target`; gives its length. */
export function writeResultHeader(
  target: Buffer,
  job: number,
  code: string,
  ok: boolean,
  micros: number,
  bodyBytes: number
): number {
  target.writeUInt32BE(RESULT_HEADER_BYTES + code.length + bodyBytes, 0)
  target[4] = FROM_CHILD.result
  target.writeUInt32BE(job, 5)
  target[9] = ok ? 1 : 0
  target.writeDoubleBE(micros, 10)
  target[18] = code.length
  if (code.length > 0) target.write(code, 19, 'latin1')
  return 19 + code.length
}

/** Runs in the worker process. */
export function encodeFromChild(type: 'ready' | 'hello', bytes: Uint8Array): Buffer {
  return Buffer.concat([header(FROM_CHILD[type], 0, bytes.length), bytes])
}

/** Runs in the worker process. */
export function encodeStarted(job: number): Buffer {
  const bytes = header(FROM_CHILD.started, 4, 0)
  bytes.writeUInt32BE(job, 5)
  return bytes
}

/** Runs in the worker process. */
export function encodeLog(job: number, stream: 'stdout' | 'stderr', text: Uint8Array): Buffer {
  const bytes = header(FROM_CHILD.log, 5, text.length)
  bytes.writeUInt32BE(job, 5)
  bytes[9] = stream === 'stdout' ? 1 : 2
  return Buffer.concat([bytes, text])
}

/** Every frame but results. @throws {WorkerFrameError} on anything a child of ours does not send */
export function decodeFromChild(frame: Uint8Array): FromChild {
  const bytes = view(frame)
  switch (bytes[0] as number) {
    case FROM_CHILD.started:
      expectWellFormed(bytes, bytes.length === 5)
      return { type: 'started', job: bytes.readUInt32BE(1) }
    case FROM_CHILD.log:
      expectWellFormed(bytes, bytes.length >= 6 && (bytes[5] === 1 || bytes[5] === 2))
      return {
        type: 'log',
        job: bytes.readUInt32BE(1),
        stream: bytes[5] === 1 ? 'stdout' : 'stderr',
        text: bytes.toString('utf8', 6)
      }
    case FROM_CHILD.ready:
      expectWellFormed(bytes, bytes.length === 1)
      return { type: 'ready' }
    case FROM_CHILD.hello:
      return { type: 'hello', answer: bytes.subarray(1) }
    default:
      throw new WorkerFrameError(`unknown frame type ${bytes[0]} from the worker process`)
  }
}

/** A result as the child tells it: which attempt it belongs to is known to the parent alone. */
export interface ResultFrame {
  readonly job: number
  attempt: number
  readonly ok: boolean
  readonly code?: string
  readonly micros: number
  readonly body: Uint8Array
}

export function isResult(frame: Uint8Array): boolean {
  return frame[0] === FROM_CHILD.result
}

/** One object for each of 200,000 a second. @throws {WorkerFrameError} on anything a child of ours does not send */
export function decodeResult(frame: Uint8Array): ResultFrame {
  const bytes = view(frame)
  expectWellFormed(bytes, bytes.length >= RESULT_HEADER_BYTES)
  const codeBytes = bytes[14] ?? 0
  const bodyStart = RESULT_HEADER_BYTES + codeBytes
  expectWellFormed(bytes, bytes.length >= bodyStart && codeBytes <= 32 && (bytes[5] === 0 || bytes[5] === 1))
  const micros = bytes.readDoubleBE(6)
  expectWellFormed(bytes, micros >= 0 && Number.isFinite(micros))
  const ok = bytes[5] === 1
  const body = bytes.subarray(bodyStart)
  const job = bytes.readUInt32BE(1)
  if (codeBytes === 0) return { job, attempt: 0, ok, micros, body }
  return { job, attempt: 0, ok, code: decodeCode(bytes, bodyStart), micros, body }
}

function decodeCode(bytes: Buffer, end: number): string {
  const code = bytes.toString('latin1', RESULT_HEADER_BYTES, end)
  expectWellFormed(bytes, /^[A-Z_]+$/.test(code))
  return code
}

function expectWellFormed(bytes: Buffer, right: boolean): void {
  if (!right)
    throw new WorkerFrameError(
      `malformed frame of type ${bytes[0]}, ${bytes.length} bytes, from the worker process`
    )
}

function view(frame: Uint8Array): Buffer {
  return Buffer.isBuffer(frame) ? frame : Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength)
}
