import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test } from 'vitest'
import { errorText } from '../../src/cli/error-text.ts'
import { valueText } from '../../src/cli/output.ts'
import { resultLine, toJson } from '../../src/cli/result-json.ts'
import type { JobResult } from '../../src/index.ts'

const ESCAPE = '\u001b]0;owned\u0007\u009b2J\u202e'
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/

function success(value: unknown): JobResult {
  return { index: 0, status: 'ok', value, peer: 'p', node: 'n', attempt: 1, ms: 1 }
}

/** Everything in which a value of a peer may hide what steers a terminal. */
const hostile: readonly (readonly [string, unknown])[] = [
  ['a text', ESCAPE],
  ['a key', { [ESCAPE]: 1 }],
  ['the name of a function', Object.defineProperty(() => 1, 'name', { value: ESCAPE })],
  ['the stack of an error', { error: Object.assign(new Error('e'), { stack: `Error: ${ESCAPE}` }) }],
  ['the name of an error', [Object.assign(new Error('e'), { name: ESCAPE })]],
  ['the tag of an object', { [Symbol.toStringTag]: ESCAPE }],
  ['the source of an expression', new RegExp(ESCAPE)],
  ['the description of a symbol', Symbol(ESCAPE)],
  [
    'the name of a class',
    Object.create({ constructor: Object.defineProperty(() => 1, 'name', { value: ESCAPE }) })
  ]
]

describe('values of other machines', () => {
  test.each(hostile)('%s cannot steer the terminal', (_, value) => {
    for (const colors of [false, true]) {
      expect(stripVTControlCharacters(valueText(value, colors))).not.toMatch(CONTROL)
      expect(valueText(value, colors)).not.toContain(ESCAPE)
    }
    const line = resultLine(success(value))
    expect(line).not.toMatch(CONTROL)
    expect(() => JSON.parse(line) as unknown).not.toThrow()
  })

  test('a line of JSON means the text that it was made of', () => {
    expect((JSON.parse(resultLine(success(ESCAPE))) as { value: string }).value).toBe(ESCAPE)
  })

  test('colours stay where nothing else is in the value', () => {
    expect(valueText({ a: 1 }, true)).toContain('\u001b[33m1')
  })

  const impostors: readonly (readonly [string, unknown])[] = [
    ['a URL', Object.create(URL.prototype)],
    ['a map', Object.create(Map.prototype)],
    ['a date', Object.create(Date.prototype)],
    ['an error', Object.create(Error.prototype)],
    ['a view', Object.create(Uint8Array.prototype)],
    ['a date with a property of that name', Object.assign(new Date(0), { getTime: 1 })]
  ]

  test.each(impostors)('what only says that it is %s ends nothing', (_, value) => {
    expect(valueText(value, true)).toBeTypeOf('string')
    expect(JSON.parse(resultLine(success(value)))).toHaveProperty('value')
  })

  test('a hundred bytes that mean more than any memory holds are not written out', () => {
    let bomb: unknown = []
    for (let level = 0; level < 40; level++) bomb = [bomb, bomb]
    const unprintable = { value: { $unprintable: 'more than 10000000 parts' } }
    expect(JSON.parse(resultLine(success(bomb)))).toMatchObject(unprintable)
    const sparse: unknown[] = []
    sparse.length = 2 ** 32 - 1
    expect(JSON.parse(resultLine(success(sparse)))).toMatchObject(unprintable)
  })

  test('errors whose parts are no texts are shown all the same', () => {
    const parts = [1, 1n, Symbol('s'), /x/, null, { toString: 1 }, Object.create(null)]
    for (const part of parts) {
      for (const key of ['name', 'message', 'stack', 'cause', 'code']) {
        const error = Object.defineProperties(new Error('e'), {
          stack: { value: 'Error: e' },
          [key]: { value: part }
        })
        expect(errorText(error)).toBeTypeOf('string')
        expect(errorText(new Error('outer', { cause: error }))).toContain('outer')
        expect(toJson(error)).toHaveProperty('$error')
      }
    }
    const circular: { self?: object } = {}
    circular.self = circular
    expect(errorText(new Error('outer', { cause: circular }))).toContain('caused by')
    const column = Object.assign(new Error('e'), {
      stack: `Error: e\n    at f (${import.meta.filename}:1:0)`
    })
    expect(errorText(column)).toContain('import')
  })
})
