import { createHash } from 'node:crypto'
import { encode } from 'cborg'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { countItems } from '../../src/protocol/count-items.ts'
import { decodeMessage } from '../../src/protocol/decode.ts'
import { encodeMessage } from '../../src/protocol/encode.ts'
import { FrameError } from '../../src/protocol/errors.ts'
import type { HeldRunStatus } from '../../src/protocol/held-messages.ts'
import { MAX_BODY_BYTES } from '../../src/protocol/limits.ts'
import { MESSAGE_TYPES } from '../../src/protocol/messages.ts'
import type { JobsMessage, Message, ResultsMessage } from '../../src/protocol/messages.ts'
import { decodeAgain, openedFrame } from './helpers/opened.ts'

const hash = (fill: string): string => fill.repeat(32)
const body = (text: string): Uint8Array => Buffer.from(text)

const status = (state: HeldRunStatus['state']): HeldRunStatus => ({
  id: '0a'.repeat(16),
  label: 'jobs.ts',
  from: 'kitchen',
  state,
  jobs: 200,
  succeeded: 12,
  failed: 1,
  ageSeconds: 61,
  reason: state === 'failed' ? 'setup failed' : ''
})

const messages: Message[] = [
  {
    type: 'hello',
    version: '0.1.0',
    name: 'kitchen',
    slots: 8,
    sandbox: 'bwrap',
    runtime: { node: 'v26.10.0', platform: 'linux', arch: 'x64' }
  },
  {
    type: 'hello',
    version: '0.1.0',
    name: 'attic',
    slots: 2,
    sandbox: 'unshare',
    runtime: { node: 'v26.10.0', platform: 'linux', arch: 'x64' },
    holds: true
  },
  { type: 'peers', peers: [] },
  {
    type: 'peers',
    peers: [
      {
        id: '12D3KooWBKccW8NbLJDW2M4rEnPMTQUd9wSCyjFV4mdFG5ASFKRa',
        addresses: ['/ip4/192.168.1.7/tcp/4001', '/ip6/fe80::1/tcp/9']
      }
    ]
  },
  { type: 'ping', n: 0 },
  { type: 'pong', n: 0xffff_ffff },
  { type: 'goodbye', reason: 'shutting down' },
  { type: 'credit', slots: 2, busy: 1, total: 4 },
  { type: 'run-open', run: 1, id: 'ab'.repeat(16), label: 'jobs.ts' },
  {
    type: 'run-open',
    run: 1,
    id: 'ab'.repeat(16),
    label: '',
    setup: { body: body('setup'), blobs: [hash('cd'), hash('ef')] }
  },
  { type: 'run-close', run: 7 },
  { type: 'log', run: 1, job: 2, stream: 'stderr', text: 'one\ntwo\tthree' },
  { type: 'cancel', run: 1, jobs: [] },
  { type: 'cancel', run: 1, jobs: [0, 1, 70_000] },
  { type: 'recall', run: 1, count: 3 },
  { type: 'recalled', run: 1, jobs: [{ job: 4, attempt: 2 }] },
  { type: 'hold', run: 1, id: 'ab'.repeat(16), label: 'jobs.ts' },
  {
    type: 'hold',
    run: 1,
    id: 'ab'.repeat(16),
    label: '',
    setup: { body: body('setup'), blobs: [hash('cd')] }
  },
  { type: 'hold-end', run: 1, jobs: 70_000 },
  { type: 'held', run: 1, state: 'open', reason: '' },
  { type: 'held', run: 1, state: 'refused', reason: 'no room' },
  { type: 'find-runs', request: 3, prefix: '0a' },
  { type: 'found-runs', request: 3, runs: [] },
  { type: 'found-runs', request: 3, runs: [status('running'), status('failed')] },
  { type: 'follow', run: 2, id: 'ab'.repeat(16), position: 4_096 },
  { type: 'followed', run: 2 },
  { type: 'followed', run: 2, status: status('waiting') },
  {
    type: 'chunk',
    run: 2,
    position: 4_096,
    places: [
      { id: '12D3KooWBKccW8NbLJDW2M4rEnPMTQUd9wSCyjFV4mdFG5ASFKRa', name: 'attic', jobs: [7, 0, 0xffff_ffff] }
    ]
  },
  { type: 'taken', run: 2, position: 4_099 },
  { type: 'blob', run: 1, hash: createHash('sha256').update('source').digest('hex'), bytes: body('source') },
  { type: 'jobs', run: 1, timeoutMs: 0, blobs: [], jobs: [] },
  {
    type: 'jobs',
    run: 0xffff_ffff,
    timeoutMs: 30_000,
    head: hash('01'),
    blobs: [hash('02'), hash('03')],
    jobs: [
      { job: 0, attempt: 1, body: body('') },
      { job: 0xffff_ffff, attempt: 0xffff, body: body('arguments') }
    ]
  },
  {
    type: 'jobs',
    run: 1,
    timeoutMs: 0,
    blobs: [],
    once: true,
    jobs: [{ job: 1, attempt: 3, body: body('once') }]
  },
  { type: 'results', run: 1, results: [] },
  {
    type: 'results',
    run: 1,
    results: [
      { job: 1, attempt: 1, ok: true, micros: 0, body: body('value') },
      { job: 2, attempt: 3, ok: false, micros: 2 ** 47, body: body('error') },
      { job: 3, attempt: 1, ok: false, code: 'JOB_TIMEOUT', micros: 1, body: body('') }
    ]
  }
]

const hello = { version: '', name: '', slots: 0, sandbox: '', runtime: { node: '', platform: '', arch: '' } }
const place = {
  id: '12D3KooWBKccW8NbLJDW2M4rEnPMTQUd9wSCyjFV4mdFG5ASFKRa',
  name: 'attic',
  jobs: Array.from({ length: 4_096 }, (_, at) => at)
}

describe('messages', () => {
  test.each(messages.map((message) => [message.type, message] as const))(
    '%s arrives as it was sent',
    (_, message) => {
      const [encoded, ...rest] = encodeMessage(message)
      expect(rest).toEqual([])
      expect(decodeAgain(encoded!)).toEqual(asReceived(message))
    }
  )

  test('every type has its row above and its own number', () => {
    const types = Object.keys(MESSAGE_TYPES)
    expect(new Set(messages.map(({ type }) => type))).toEqual(new Set(types))
    expect(new Set(Object.values(MESSAGE_TYPES)).size).toBe(types.length)
  })

  test('unknown types and unknown fields are skipped', () => {
    expect(decodeMessage(openedFrame(40, body('anything')))).toBeUndefined()
    expect(decodeMessage(openedFrame(200, body('anything')))).toBeUndefined()
    const ping = encode({ n: 3, colour: 'green', nested: { deep: [1, 2, 3] } })
    expect(decodeMessage(openedFrame(MESSAGE_TYPES.ping, ping))).toEqual({ type: 'ping', n: 3 })
  })

  test('names and labels lose what could act on a terminal', () => {
    const [encoded] = encodeMessage({ type: 'goodbye', reason: 'bye\x1b]0;owned\x07\u202e\u200b' })
    expect(decodeAgain(encoded!)).toEqual({ type: 'goodbye', reason: 'bye�]0;owned���' })
  })

  test.each([
    ['no map', MESSAGE_TYPES.ping, encode([1])],
    ['not CBOR', MESSAGE_TYPES.ping, Uint8Array.of(0xff)],
    ['trailing bytes', MESSAGE_TYPES.ping, Buffer.concat([encode({ n: 1 }), Buffer.of(0)])],
    ['a key twice', MESSAGE_TYPES.ping, Buffer.from('a2616e01616e02', 'hex')],
    ['an indefinite map', MESSAGE_TYPES.ping, Buffer.from('bf616e01ff', 'hex')],
    ['a missing field', MESSAGE_TYPES.recall, encode({ run: 1 })],
    ['a negative number', MESSAGE_TYPES.ping, encode({ n: -1 })],
    ['a number too large', MESSAGE_TYPES.ping, encode({ n: 2 ** 32 })],
    ['a fraction', MESSAGE_TYPES.ping, encode({ n: 1.5 })],
    ['a long name', MESSAGE_TYPES.goodbye, encode({ reason: 'x'.repeat(256) })],
    ['a bad run id', MESSAGE_TYPES['run-open'], encode({ run: 1, id: '../../etc', label: '' })],
    ['a bad peer id', MESSAGE_TYPES.peers, encode({ peers: [{ id: 'me', addresses: [] }] })],
    ['a bad stream', MESSAGE_TYPES.log, encode({ run: 1, job: 1, stream: 'stdin', text: '' })],
    ['holding said with a number', MESSAGE_TYPES.hello, encode({ ...hello, holds: 1 })],
    ['a held run with a bad id', MESSAGE_TYPES.hold, encode({ run: 1, id: 'AB'.repeat(16), label: '' })],
    [
      'a setup that is no map',
      MESSAGE_TYPES.hold,
      encode({ run: 1, id: 'ab'.repeat(16), label: '', setup: 1 })
    ],
    ['an unknown answer', MESSAGE_TYPES.held, encode({ run: 1, state: 'lost', reason: '' })],
    ['a prefix with a wildcard', MESSAGE_TYPES['find-runs'], encode({ request: 1, prefix: '*' })],
    [
      'a prefix longer than an id',
      MESSAGE_TYPES['find-runs'],
      encode({ request: 1, prefix: 'a'.repeat(33) })
    ],
    [
      '513 runs',
      MESSAGE_TYPES['found-runs'],
      encode({ request: 1, runs: Array.from({ length: 513 }, () => 0) })
    ],
    [
      'an unknown state',
      MESSAGE_TYPES.followed,
      encode({ run: 1, status: { ...status('failed'), state: 'x' } })
    ],
    ['a status without counts', MESSAGE_TYPES.followed, encode({ run: 1, status: { id: '0a'.repeat(16) } })],
    ['a position of 2^32', MESSAGE_TYPES.taken, encode({ run: 1, position: 2 ** 32 })],
    [
      'a chunk from nowhere',
      MESSAGE_TYPES.chunk,
      encode({ run: 1, position: 0, places: [{ ...place, id: 'x' }] })
    ],
    [
      'a chunk of 4,097 results',
      MESSAGE_TYPES.chunk,
      encode({ run: 1, position: 0, places: [place, { ...place, jobs: [0] }] })
    ],
    [
      'a chunk of negative jobs',
      MESSAGE_TYPES.chunk,
      encode({ run: 1, position: 0, places: [{ ...place, jobs: [-1] }] })
    ],
    ['nesting 60,000 deep', MESSAGE_TYPES.ping, Buffer.alloc(60_000, 0x81)],
    ['513 peers', MESSAGE_TYPES.peers, encode({ peers: Array.from({ length: 513 }, () => 0) })],
    ['a map with 2^32 entries announced', MESSAGE_TYPES.ping, Buffer.from('baffffffff', 'hex')]
  ] as const)('%s is refused', (_, type, payload) => {
    expect(() => decodeMessage(openedFrame(type, payload))).toThrow(
      expect.objectContaining({ code: 'FRAME_INVALID' })
    )
  })

  test('a message of millions of empty maps is refused before any of them is made', () => {
    const maps = Buffer.alloc(4 * 1024 * 1024, 0xa0)
    const head = Buffer.from([0xa1, 0x61, 0x78, 0x9a, 0, 0x40, 0, 0])
    const before = process.memoryUsage().rss
    expect(() => decodeMessage(openedFrame(MESSAGE_TYPES.ping, Buffer.concat([head, maps])))).toThrow(
      'at most 262144 items'
    )
    expect(process.memoryUsage().rss - before).toBeLessThan(100e6)
  })

  test('items are counted as the decoder finds them', () => {
    const count = (value: unknown): number => {
      if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + count(item), 1)
      if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return 1
      return Object.values(value).reduce((sum: number, item) => sum + 1 + count(item), 1)
    }
    const value = fc.jsonValue()
    fc.assert(
      fc.property(value, fc.uint8Array({ maxLength: 300 }), (json, bytes) => {
        expect(countItems(encode([json, bytes]), 10_000)).toBe(count([json, bytes]))
        expect(() => countItems(encode([json, bytes]), count([json, bytes]) - 1)).toThrow(FrameError)
      }),
      { numRuns: 500 }
    )
  })

  test('a message with as many jobs as one may list is taken', () => {
    const jobs = Array.from({ length: 32_768 }, (_, job) => ({ job: 0xffff_0000 + job, attempt: 1 }))
    const message: Message = { type: 'recalled', run: 1, jobs }
    expect(encodeMessage(message).map(decodeAgain)).toEqual([message])
  })

  test('keys that mean something to JavaScript stay data', () => {
    const payload = encode(
      new Map<string, unknown>([
        ['__proto__', { slots: 1 }],
        ['n', 1]
      ])
    )
    const message = decodeMessage(openedFrame(MESSAGE_TYPES.ping, payload)) as object
    expect(Object.getPrototypeOf(message)).toBe(Object.prototype)
    expect(message).toEqual({ type: 'ping', n: 1 })
  })

  test.each([
    ['jobs', 'too short', '00'.repeat(15)],
    ['jobs', '2^32-1 jobs announced', `${'00'.repeat(12)}ffffffff`],
    ['jobs', 'a body behind the end', `${'00'.repeat(12)}0000000100000000000000000001`],
    ['jobs', 'bytes left over', `${'00'.repeat(16)}ff`],
    ['jobs', '65,535 blobs announced', `${'00'.repeat(10)}ffff00000000`],
    ['results', 'too short', '00'.repeat(7)],
    ['results', '2^32-1 results announced', '00000000ffffffff'],
    ['results', 'a code behind the end', `0000000000000001${'00'.repeat(7)}05${'00'.repeat(10)}`],
    [
      'results',
      'a code with an escape sequence',
      `0000000000000001${'00'.repeat(7)}02${'00'.repeat(10)}1b5b`
    ],
    ['results', 'bytes left over', '000000000000000000'],
    ['blob', 'too short', '0000']
  ] as const)('%s: %s is refused', (type, _, hex) => {
    expect(() => decodeMessage(openedFrame(MESSAGE_TYPES[type], Buffer.from(hex, 'hex')))).toThrow(
      expect.objectContaining({ code: 'FRAME_INVALID' })
    )
  })

  test('whatever a member sends, decoding gives a message, nothing, or FrameError', () => {
    const types = fc.oneof(fc.constantFrom(...Object.values(MESSAGE_TYPES)), fc.nat(255))
    const payloads = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.constantFrom(...messages).chain((message) => {
        const [encoded] = encodeMessage(message)
        const bytes = encoded!.kind === 'frame' ? encoded!.frame.subarray(16, -32) : Buffer.alloc(0)
        return fc
          .array(fc.tuple(fc.nat(Math.max(0, bytes.byteLength - 1)), fc.nat(255)), { maxLength: 4 })
          .map((edits) => {
            const copy = Buffer.from(bytes)
            for (const [at, value] of edits) if (copy.byteLength > 0) copy[at] = value
            return copy
          })
      }),
      fc.jsonValue().map((value) => encode(value))
    )
    fc.assert(
      fc.property(types, payloads, (type, payload) => {
        try {
          decodeMessage(openedFrame(type, payload))
        } catch (error) {
          expect(error).toMatchObject({ code: 'FRAME_INVALID' })
        }
      }),
      { numRuns: 3_000 }
    )
  })

  test('a batch is cut into whole frames, a large item travels alone and in parts', () => {
    const sizes = [10, 200_000, 100_000, 300_000, 20, 30]
    const jobs = sizes.map((size, job) => ({ job, attempt: 1, body: Buffer.alloc(size, job) }))
    const message: JobsMessage = {
      type: 'jobs',
      run: 1,
      timeoutMs: 5,
      head: hash('aa'),
      blobs: [hash('bb')],
      jobs
    }
    const encoded = encodeMessage(message)
    expect(encoded.map(({ kind }) => kind)).toEqual(['frame', 'frame', 'transfer', 'frame'])
    const received = encoded.map((one) => decodeAgain(one) as JobsMessage)
    expect(received.flatMap((one) => one.jobs.map(({ job }) => job))).toEqual([0, 1, 2, 3, 4, 5])
    expect(received.flatMap((one) => one.jobs.map((job) => job.body.byteLength))).toEqual(sizes)
    for (const one of received)
      expect(one).toMatchObject({ head: hash('aa'), blobs: [hash('bb')], timeoutMs: 5 })

    const results: ResultsMessage = {
      type: 'results',
      run: 1,
      results: jobs.map(({ job, body }) => ({ job, attempt: 1, ok: false, code: 'X', micros: 1, body }))
    }
    const back = encodeMessage(results).map((one) => decodeAgain(one) as ResultsMessage)
    expect(back.flatMap((one) => one.results.map((result) => [result.code, result.body.byteLength]))).toEqual(
      sizes.map((size) => ['X', size])
    )
  })

  test('40,000 empty jobs are cut by number', () => {
    const jobs = Array.from({ length: 40_000 }, (_, job) => ({ job, attempt: 0, body: body('') }))
    const encoded = encodeMessage({ type: 'jobs', run: 1, timeoutMs: 0, blobs: [], jobs })
    expect(encoded.map((one) => (decodeAgain(one) as JobsMessage).jobs.length)).toEqual([
      16_384, 16_384, 7_232
    ])
  })

  test('a body over the limit is refused with its job, size and limit', () => {
    // A view that claims the size, so that the test needs no gigabyte.
    const huge = Object.defineProperty(new Uint8Array(0), 'byteLength', { value: MAX_BODY_BYTES + 1 })
    const message: Message = {
      type: 'jobs',
      run: 1,
      timeoutMs: 0,
      blobs: [],
      jobs: [{ job: 5, attempt: 1, body: huge }]
    }
    expect(() => encodeMessage(message)).toThrow(
      `job 5: ${MAX_BODY_BYTES + 1} bytes are over the limit of ${MAX_BODY_BYTES} bytes`
    )
  })
})

/** Received bodies are Buffers over one payload; content is what counts. */
function asReceived(message: Message): Message {
  return JSON.parse(JSON.stringify(message), (_, value: unknown) => {
    const isBytes =
      typeof value === 'object' && value !== null && (value as { type?: string }).type === 'Buffer'
    return isBytes
      ? expect.objectContaining({ byteLength: (value as { data: number[] }).data.length })
      : value
  }) as Message
}
