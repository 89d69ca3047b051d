import { decode, encode } from 'cborg'
import type { DecodeOptions, EncodeOptions } from 'cborg'
import { FrameError } from './errors.ts'
import { HELD_READERS } from './control-held.ts'
import { countItems } from './count-items.ts'
import { readAttempt, readJob, readName, readPeer, readSetup, RUN_ID } from './field-readers.ts'
import { Fields } from './fields.ts'
import { MAX_CONTROL_ITEMS, MAX_LISTED_JOBS, MAX_LISTED_PEERS, MAX_LOG_LENGTH } from './limits.ts'
import type { ControlMessage } from './messages.ts'
import { toPrintableText } from './printable.ts'

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

const STREAM = /^std(?:out|err)$/

export function encodeControl(message: ControlMessage): Uint8Array {
  const { type: _, ...fields } = message
  return encode(fields, ENCODE)
}

/** @throws {FrameError} when the bytes are not a message of this type */
export function decodeControl(type: ControlMessage['type'], bytes: Uint8Array): ControlMessage {
  let value: unknown
  countItems(bytes, MAX_CONTROL_ITEMS)
  try {
    value = decode(bytes, DECODE)
  } catch (error) {
    // Includes running out of stack: nesting deeper than the decoder can follow is no honest message.
    throw new FrameError(`${type}: expected a CBOR map`, { cause: error })
  }
  return READERS[type](new Fields(type, value))
}

type Readers = { [T in ControlMessage['type']]: (fields: Fields) => Extract<ControlMessage, { type: T }> }

const READERS: Readers = {
  ...HELD_READERS,
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
      },
      ...(fields.flag('holds') ? { holds: true } : {})
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
  'run-open': (fields) => ({
    type: 'run-open',
    run: fields.uint('run'),
    id: fields.matching('id', RUN_ID),
    label: readName(fields, 'label'),
    ...readSetup(fields)
  }),
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
