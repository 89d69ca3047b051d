/**
 * Messages as they stand on the wire, kept for ever (`corpus/frames.json`, append only): what version 0.1 said must
 * mean the same to every later version, and what was refused stays refused. They are also the seeds of the fuzzing
 * below. When fuzzing finds something, its payload becomes an entry.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeMessage } from '../../src/protocol/decode.ts'
import { MESSAGE_TYPES } from '../../src/protocol/messages.ts'
import { openedFrame } from './helpers/opened.ts'

interface Entry {
  readonly about: string
  /** Number of the type on the wire. */
  readonly type: number
  /** Hexadecimal. */
  readonly payload: string
  /** What it says, bytes as hexadecimal; `null`: nothing, it is skipped; `refused`: it ends the connection. */
  readonly means: object | null | 'refused'
}

const corpus = JSON.parse(
  readFileSync(join(import.meta.dirname, 'corpus/frames.json'), 'utf8')
) as readonly Entry[]

/** What a payload means, as the corpus writes it. Anything but a message, nothing or FrameError is thrown. */
function meaning(type: number, payload: Uint8Array): unknown {
  try {
    const message = decodeMessage(openedFrame(type, payload))
    return message === undefined ? null : JSON.parse(JSON.stringify(message, bytesAsHex))
  } catch (error) {
    expect(error).toMatchObject({ code: 'FRAME_INVALID' })
    return 'refused'
  }
}

function bytesAsHex(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const original = this[key]
  return original instanceof Uint8Array ? Buffer.from(original).toString('hex') : value
}

describe('the corpus of frames', () => {
  test.each(corpus.map((entry) => [entry.about, entry] as const))('%s', (_, { type, payload, means }) => {
    expect(meaning(type, Buffer.from(payload, 'hex'))).toEqual(means)
  })

  test('has every type of message', () => {
    const kept = new Set(corpus.filter(({ means }) => means !== 'refused').map(({ type }) => type))
    expect(Object.values(MESSAGE_TYPES).filter((type) => !kept.has(type))).toEqual([])
  })

  test('cut, flipped, glued or under another type: a message, nothing, or a refusal', () => {
    const payloads = corpus.map(({ payload }) => Buffer.from(payload, 'hex'))
    const seed = fc.constantFrom(...payloads)
    const edit = fc.tuple(fc.nat(), fc.nat(255))
    const mutated = fc
      .tuple(seed, seed, fc.array(edit, { maxLength: 6 }), fc.nat(), fc.boolean())
      .map(([first, second, edits, length, glue]) => {
        const bytes = Buffer.concat(glue ? [first, second] : [first])
        for (const [at, value] of edits) if (bytes.length > 0) bytes[at % bytes.length] = value
        return bytes.subarray(0, length % (bytes.length + 1))
      })
    const types = fc.constantFrom(...Object.values(MESSAGE_TYPES))
    fc.assert(
      fc.property(types, mutated, (type, payload) => {
        meaning(type, payload)
      }),
      { numRuns: 5_000 }
    )
  })
})
