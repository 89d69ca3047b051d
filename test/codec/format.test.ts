import { describe, expect, test } from 'vitest'
import { Printer } from '../../src/codec/print/print.ts'
import { readData } from '../../src/codec/read/read-data.ts'
import type { FunctionUnit } from '../../src/codec/unit.ts'
import { square } from './fixtures/golden.ts'

const printer = new Printer()
const shared = { a: 1 }
const cycle: unknown[] = []
cycle.push(cycle)

/** Bytes that every later version must write and read: PROTOCOL.md says what they mean. */
const golden: ReadonlyArray<readonly [name: string, value: unknown, hex: string]> = [
  ['undefined', undefined, 'f7'],
  ['minus zero', -0, 'fb8000000000000000'],
  ['a large integer', 2 ** 40, '1b0000010000000000'],
  ['a BigInt', 255n, 'c241ff'],
  ['a negative BigInt', -256n, 'c341ff'],
  ['a text', 'é', '62c3a9'],
  ['a lone surrogate', '\ud800', 'd9b7fd4200d8'],
  ['a record', { b: 1, a: [true, null] }, 'a2616201616182f5f6'],
  ['a Date', new Date(1_500), 'c1fb3ff8000000000000'],
  ['a Map', new Map([[1, 'a']]), 'd90103a1016161'],
  ['a Set', new Set([1]), 'd9010281 01'],
  ['a RegExp', /a/g, 'd9524a8261616167'],
  ['bytes', new Uint8Array([1, 2]), '420102'],
  ['a Float64Array', new Float64Array([1]), 'd85648000000000000f03f'],
  ['a Buffer', Buffer.from('a'), 'd9b8054161'],
  ['a URL', new URL('a:b'), 'd82063613a62'],
  ['a shared value', [shared, shared], '82d81ca1616101d81d00'],
  ['a cycle', cycle, 'd81c81d81d00'],
  ['a hole', Array.from({ length: 2 }), '82f7f7'],
  ['a null prototype', Object.create(null), 'd9b7fc84a0f68000'],
  ['a frozen array', Object.freeze([1]), 'd9b7fc84d9b80201f783613001 0103'],
  ['a well-known symbol', Symbol.iterator, 'd9b8018200686974657261746f72'],
  ['a registered symbol', Symbol.for('k'), 'd9b8018201616b']
]

describe('the format', () => {
  test.each(golden)('%s', async (_name, value, text) => {
    const hex = text.replaceAll(' ', '')
    expect(Buffer.from((await printer.print(value)).bytes).toString('hex')).toBe(hex)
    expect(readData(Buffer.from(hex, 'hex'))).toStrictEqual(value)
  })

  test('a function is the hash of its unit and what it captured', async () => {
    const { bytes, units } = await printer.print(square)
    expect(Buffer.from(bytes).toString('hex')).toBe(`d9b810825820${units[0]}8102`)
    const unit = readData(printer.unit(units[0] ?? '')) as FunctionUnit
    expect({ ...unit, file: unit.file.replace(/^.*\/test\//, 'test/').replace(/\?.*$/, '') }).toEqual({
      kind: 'function',
      form: 'expression',
      file: 'test/codec/fixtures/golden.ts',
      line: 3,
      column: 7,
      strict: true,
      name: 'square',
      // Blanks stand where Node took types out: so every position is that of the file.
      source: "function square(x        )         {\n  return format('%d', x ** EXPONENT)\n}",
      captured: ['EXPONENT'],
      links: { format: { kind: 'builtin', module: 'util', name: 'format' } },
      privateStatics: []
    })
  })
})
