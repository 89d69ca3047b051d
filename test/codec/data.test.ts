import { anything as anyValue, assert, jsonValue, property } from 'fast-check'
import { decode as decodeCbor, encode as encodeCbor } from 'cborg'
import { describe, expect, test } from 'vitest'
import { Encoder } from '../../src/codec/print/encode.ts'
import { PLAIN_DATA } from '../../src/codec/print/plain-data.ts'
import { Printer } from '../../src/codec/print/print.ts'
import { readData } from '../../src/codec/read/read-data.ts'

const printer = new Printer()

function roundTrip<T>(value: T): T {
  const printed = printer.print(value)
  if (printed instanceof Promise) throw new Error('plain data took a promise')
  return readData(printed.bytes) as T
}

const sparse = [1, , 3] as unknown[] // oxlint-disable-line no-sparse-arrays
sparse.length = 10
const withExtras = Object.assign([1, 2], { extra: true, [Symbol.for('tag')]: 1 })
const resizable = new ArrayBuffer(4, { maxByteLength: 16 })
const named = Object.assign(new RangeError('out of range', { cause: new TypeError('cause') }), {
  code: 'E_RANGE',
  at: [1, 2]
})
const globalPattern = /x+/g
globalPattern.lastIndex = 3

const values: ReadonlyArray<readonly [name: string, value: unknown]> = [
  ['undefined', undefined],
  ['null', null],
  ['booleans', [true, false]],
  [
    'whole numbers',
    [
      0,
      23,
      24,
      255,
      256,
      65_535,
      65_536,
      2 ** 32,
      Number.MAX_SAFE_INTEGER,
      -1,
      -24,
      -25,
      Number.MIN_SAFE_INTEGER
    ]
  ],
  ['other numbers', [-0, 1.5, -1e300, Number.MIN_VALUE, 2 ** 53, NaN, Infinity, -Infinity]],
  ['bigints', [0n, 1n, -1n, 255n, 2n ** 64n, -(2n ** 64n), 2n ** 1_000n]],
  [
    'texts',
    ['', 'a', 'é', '漢字', '😀', 'x'.repeat(23), 'x'.repeat(24), 'é'.repeat(300), 'y'.repeat(70_000)]
  ],
  ['lone surrogates', ['\ud800', 'a\udc00b', { '\ud800': 1 }]],
  ['dates', [new Date(0), new Date(1.5e12 + 1), new Date(-1), new Date(8.64e15)]],
  ['regular expressions', [/a\/b/giu, /[^]/y, globalPattern]],
  [
    'Map',
    new Map<unknown, unknown>([
      ['a', 1],
      [{ k: 1 }, new Map()],
      [NaN, -0]
    ])
  ],
  ['Set', new Set<unknown>([1, 'a', { b: 2 }, new Set()])],
  [
    'typed arrays',
    [
      new Uint8Array([1, 2]),
      new Uint8ClampedArray([3]),
      new Int8Array([-1]),
      new Uint16Array([65_535]),
      new Int16Array([-2]),
      new Uint32Array([2 ** 31]),
      new Int32Array([-3]),
      new Float32Array([1.5]),
      new Float64Array([Math.PI, NaN]),
      new BigInt64Array([-1n]),
      new BigUint64Array([2n ** 63n]),
      new Float16Array([0.5])
    ]
  ],
  ['part of a buffer', new Uint8Array([1, 2, 3, 4]).subarray(1, 3)],
  ['ArrayBuffer', new Uint8Array([1, 2, 3]).buffer],
  ['resizable ArrayBuffer', resizable],
  ['DataView', new DataView(new Uint8Array([1, 2, 3]).buffer, 1)],
  ['Buffer', Buffer.from('hello')],
  ['errors', [new Error('plain'), named, new AggregateError([new URIError('u')], 'many')]],
  ['DOMException', new DOMException('gone', 'AbortError')],
  ['URL', new URL('https://user@example.org:8080/a?b=c#d')],
  ['URLSearchParams', new URLSearchParams('a=1&a=2')],
  ['sparse array', sparse],
  ['array with properties', withExtras],
  [
    'long array with properties',
    Object.assign(
      Array.from({ length: 100 }, (_, index) => index),
      { extra: 1 }
    )
  ],
  ['null prototype', Object.assign(Object.create(null) as object, { a: 1 })],
  ['boxed primitives', [Object(1), Object('text'), Object(true), Object(1n), Object(Symbol.iterator)]],
  ['symbols', [Symbol.iterator, Symbol.for('registered')]],
  ['symbol keys', { [Symbol.for('key')]: 1, [Symbol.toStringTag]: 'Tagged' }],
  [
    'frozen, sealed and closed',
    [Object.freeze({ a: 1 }), Object.seal({ b: 2 }), Object.preventExtensions({ c: 3 })]
  ],
  ['hidden properties', Object.defineProperty({ shown: 1 }, 'hidden', { value: 2, enumerable: false })],
  ['__proto__ as a key', JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1}')],
  ['key order', { z: 1, a: 2, 10: 3, 2: 4 }]
]

describe('plain data', () => {
  test.each(values)('%s', (_name, value) => {
    const read = roundTrip(value)
    expect(read).toStrictEqual(value)
  })

  test('key order, property attributes and integrity stay', () => {
    expect(Object.keys(roundTrip({ z: 1, a: 2 }))).toEqual(['z', 'a'])
    const hidden = roundTrip(Object.defineProperty({}, 'x', { value: 2 }))
    expect(Object.getOwnPropertyDescriptor(hidden, 'x')).toEqual({
      value: 2,
      writable: false,
      enumerable: false,
      configurable: false
    })
    expect(Object.isFrozen(roundTrip(Object.freeze([1, 2])))).toBe(true)
    expect(Object.isSealed(roundTrip(Object.seal({ a: 1 })))).toBe(true)
  })

  test('minus zero and NaN dates', () => {
    expect(Object.is(roundTrip(-0), -0)).toBe(true)
    expect(roundTrip(new Date(NaN)).getTime()).toBeNaN()
  })

  test('a Buffer is one, and brings nothing of the pool it was cut from', () => {
    const [first, second] = [Buffer.from('one'), Buffer.from('two')]
    const printed = printer.print([first, second])
    if (printed instanceof Promise) throw new Error('plain data took a promise')
    expect(printed.bytes.length).toBeLessThan(20)
    expect(Buffer.isBuffer(roundTrip(first))).toBe(true)
  })
})

describe('shared references and cycles', () => {
  test('what is shared stays shared', () => {
    const part = { name: 'part' }
    const read = roundTrip({ first: part, second: part, third: [part] })
    expect(read.first).toBe(read.second)
    expect(read.third[0]).toBe(read.first)
  })

  test('cycles through every kind of container', () => {
    const map = new Map<string, unknown>()
    const set = new Set<unknown>([map])
    const error = new Error('cyclic')
    const record: Record<string, unknown> = { map, set, error, list: [] }
    map.set('record', record)
    error.cause = record
    ;(record['list'] as unknown[]).push(record['list'])
    const read = roundTrip(record)
    expect((read['map'] as Map<string, unknown>).get('record')).toBe(read)
    expect((read['set'] as Set<unknown>).has(read['map'])).toBe(true)
    expect((read['error'] as Error).cause).toBe(read)
    expect((read['list'] as unknown[])[0]).toBe(read['list'])
  })

  test('views of one buffer stay views of one buffer', () => {
    const whole = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8])
    const read = roundTrip({
      whole,
      part: new Uint16Array(whole.buffer, 2, 2),
      view: new DataView(whole.buffer, 4)
    })
    expect(read.part.buffer).toBe(read.whole.buffer)
    expect(read.view.byteOffset).toBe(4)
    read.whole[2] = 9
    expect(read.part[0]).toBe(9 + 4 * 256)
  })
})

describe('properties of the format', () => {
  const anything = anyValue({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
    withSparseArray: true,
    withNullPrototype: true,
    withUnicodeString: true,
    withBoxedValues: true,
    withObjectString: true
  })

  test('any value comes back as it was', () => {
    assert(
      property(anything, (value) => {
        expect(roundTrip(value)).toStrictEqual(value)
      }),
      { numRuns: 2_000 }
    )
  })

  test('another CBOR library reads what is written, and writes what is read', () => {
    assert(
      property(jsonValue({ noUnicodeString: false }), (value) => {
        const bytes = new Encoder(PLAIN_DATA).encode(value)
        expect(decodeCbor(bytes)).toEqual(value)
        expect(readData(encodeCbor(value))).toEqual(decodeCbor(encodeCbor(value)))
      }),
      { numRuns: 1_000 }
    )
  })
})
