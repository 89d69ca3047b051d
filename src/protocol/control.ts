import { decode, encode } from 'cborg'
import type { DecodeOptions, EncodeOptions } from 'cborg'
import { FrameError } from './errors.ts'
import { describe, Fields } from './fields.ts'
import {
  MAX_BATCH_BLOBS,
  MAX_LISTED_ADDRESSES,
  MAX_LISTED_PEERS,
  MAX_LOG_LENGTH,
  MAX_NAME_LENGTH
} from './limits.ts'
import type { ControlMessage } from './messages.ts'
import { toPrintableLine, toPrintableText } from './printable.ts'

// Control messages are CBOR maps (RFC 8949). Maps decode to Map objects, so no key of a peer's ever becomes a property
// name; indefinite lengths, undefined, duplicate keys and over-long numbers are refused.

const ENCODE: EncodeOptions = { ignoreUndefinedProperties: true }
const DECODE: DecodeOptions = {
  useMaps: true,
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  rejectDuplicateMapKeys: true
}

const HASH = /^[0-9a-f]{64}$/
const RUN_ID = /^[0-9a-f]{32}$/
const PEER_ID = /^[1-9A-HJ-NP-Za-km-z]{32,128}$/
const ADDRESS = /^\/[\x21-\x7e]{1,255}$/
const STREAM = /^std(?:out|err)$/
const MAX_LISTED_JOBS = 1024 * 1024
const MAX_JOB = 0xffff_ffff
const MAX_ATTEMPT = 0xffff

export function encodeControl(message: ControlMessage): Uint8Array {
  const { type: _, ...fields } = message
  return encode(fields, ENCODE)
}

/** @throws {FrameError} when the bytes are not a message of this type */
export function decodeControl(type: ControlMessage['type'], bytes: Uint8Array): ControlMessage {
  let value: unknown
  try {
    value = decode(bytes, DECODE)
  } catch (error) {
    // Includes running out of stack: nesting deeper than the decoder can follow is no honest message.
    throw new FrameError(`${type}: expected a CBOR map`, { cause: error })
  }
  return READERS[type](new Fields(type, value))
}

function readName(fields: Fields, name: string): string {
  return toPrintableLine(fields.text(name, MAX_NAME_LENGTH))
}

function readPeer(item: unknown, where: string): { id: string; addresses: string[] } {
  const fields = new Fields(where, item)
  return {
    id: fields.matching('id', PEER_ID),
    addresses: fields.list('addresses', MAX_LISTED_ADDRESSES, (address, at) => readText(address, at, ADDRESS))
  }
}

function readHash(item: unknown, where: string): string {
  return readText(item, where, HASH)
}

function readText(item: unknown, where: string, pattern: RegExp): string {
  if (typeof item === 'string' && pattern.test(item)) return item
  throw new FrameError(`${where}: expected text like ${pattern}, got ${describe(item)}`)
}

function readJob(item: unknown, where: string): number {
  if (typeof item === 'number' && Number.isInteger(item) && item >= 0 && item <= MAX_JOB) return item
  throw new FrameError(`${where}: expected a job number, got ${describe(item)}`)
}

function readAttempt(item: unknown, where: string): { job: number; attempt: number } {
  const fields = new Fields(where, item)
  return { job: fields.uint('job', MAX_JOB), attempt: fields.uint('attempt', MAX_ATTEMPT) }
}

const READERS: { [T in ControlMessage['type']]: (fields: Fields) => Extract<ControlMessage, { type: T }> } = {
  hello: (fields) => {
    const runtime = fields.fields('runtime')
    return {
      type: 'hello',
      version: readName(fields, 'version'),
      name: readName(fields, 'name'),
      slots: fields.uint('slots', 0xffff),
      sandbox: readName(fields, 'sandbox'),
      runtime: {
        node: readName(runtime, 'node'),
        platform: readName(runtime, 'platform'),
        arch: readName(runtime, 'arch')
      }
    }
  },
  peers: (fields) => ({ type: 'peers', peers: fields.list('peers', MAX_LISTED_PEERS, readPeer) }),
  ping: (fields) => ({ type: 'ping', n: fields.uint('n') }),
  pong: (fields) => ({ type: 'pong', n: fields.uint('n') }),
  goodbye: (fields) => ({ type: 'goodbye', reason: readName(fields, 'reason') }),
  credit: (fields) => ({
    type: 'credit',
    slots: fields.uint('slots', 0xffff),
    busy: fields.uint('busy', 0xffff),
    total: fields.uint('total', 0xffff)
  }),
  'run-open': (fields) => {
    const setup = fields.has('setup') ? fields.fields('setup') : undefined
    return {
      type: 'run-open',
      run: fields.uint('run'),
      id: fields.matching('id', RUN_ID),
      label: readName(fields, 'label'),
      ...(setup === undefined
        ? {}
        : { setup: { body: setup.bytes('body'), blobs: setup.list('blobs', MAX_BATCH_BLOBS, readHash) } })
    }
  },
  'run-close': (fields) => ({ type: 'run-close', run: fields.uint('run') }),
  log: (fields) => ({
    type: 'log',
    run: fields.uint('run'),
    job: fields.uint('job'),
    stream: fields.matching('stream', STREAM) === 'stdout' ? 'stdout' : 'stderr',
    text: toPrintableText(fields.text('text', MAX_LOG_LENGTH))
  }),
  cancel: (fields) => ({
    type: 'cancel',
    run: fields.uint('run'),
    jobs: fields.list('jobs', MAX_LISTED_JOBS, readJob)
  }),
  recall: (fields) => ({ type: 'recall', run: fields.uint('run'), count: fields.uint('count') }),
  recalled: (fields) => ({
    type: 'recalled',
    run: fields.uint('run'),
    jobs: fields.list('jobs', MAX_LISTED_JOBS, readAttempt)
  })
}
