import { array, assert, integer, property, uint8Array } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Decoder } from '../../src/codec/read/decode.ts'
import { ReadError } from '../../src/codec/errors.ts'
import { Printer } from '../../src/codec/print/print.ts'
import { readData } from '../../src/codec/read/read-data.ts'
import { Reader } from '../../src/codec/read/read.ts'
import { isResultBuiltin } from '../../src/codec/print/result-builtins.ts'
import type { FunctionReader } from '../../src/codec/read/value-reader.ts'

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))

/** Reads, and makes sure that what is wrong is a ReadError and nothing else. */
function attempt(read: () => unknown): unknown {
  try {
    return read()
  } catch (error) {
    expect(error).toBeInstanceOf(ReadError)
    return error
  }
}

const printer = new Printer()

/** As a follower that did not print the jobs reads. */
function foreignResultReader(): (bytes: Uint8Array) => unknown {
  const reader = new Reader({ isFromPeer: true, allowBuiltin: isResultBuiltin, findOriginal: () => Date })
  return (bytes) => reader.read(bytes)
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([
    bytes.length < 24 ? Buffer.from([0x60 | bytes.length]) : Buffer.from([0x78, bytes.length]),
    bytes
  ])
}

function tagged(tag: number, content: Buffer): Buffer {
  const head = tag < 256 ? [0xd8, tag] : [0xd9, tag >> 8, tag & 0xff]
  return Buffer.concat([Buffer.from(head), content])
}

function builtin(...names: string[]): Buffer {
  return tagged(47122, Buffer.concat([Buffer.from([0x81 + names.length]), text(''), ...names.map(text)]))
}

/** Something else with another prototype, more properties, closed to change. */
function extended(
  base: Buffer,
  prototype: 'undefined' | 'null',
  properties: Buffer[],
  integrity = 0
): Buffer {
  const parts = [Buffer.from([0x84]), base, Buffer.from([prototype === 'null' ? 0xf6 : 0xf7])]
  return tagged(
    47100,
    Buffer.concat([
      ...parts,
      Buffer.from([0x80 | properties.length]),
      ...properties,
      Buffer.from([integrity])
    ])
  )
}

describe('hostile bytes', () => {
  const attacks: ReadonlyArray<readonly [name: string, bytes: Uint8Array]> = [
    ['nothing', hex('')],
    ['a text cut short', hex('78 ff 61')],
    ['an array of 2^53 - 1 items', hex('9b 001fffffffffffff')],
    ['an array of 2^64 - 1 items', hex('9b ffffffffffffffff')],
    ['a map of 2^32 - 1 entries', hex('ba ffffffff')],
    ['bytes of 4 GiB', hex('5a ffffffff')],
    ['a typed array of 4 GiB', hex('d8 56 5a ffffffff')],
    ['an indefinite length', hex('9f 01 ff')],
    ['more after the end', hex('01 01')],
    ['an unknown tag', hex('d9 ffff 00')],
    ['an unknown simple value', hex('f8 20')],
    ['a million arrays in one another', new Uint8Array(1_000_000).fill(0x81)],
    ['a million tags in one another', new Uint8Array(1_000_000).fill(0xc1)],
    ['a reference to nothing', hex('d8 1d 00')],
    ['a reference to a number', hex('82 d8 1c 01 d8 1d 00')],
    [
      'a function',
      hex('d9 b810 82 5820 0000000000000000000000000000000000000000000000000000000000000000 80')
    ],
    ['a regular expression that does not compile', hex('d9 524a 82 61 28 60')],
    ['a resizable buffer of 2^52 bytes', hex('d9 b803 82 40 1b 0010000000000000')],
    ['a URL that is none', hex('d8 20 63 2f 2f 2f')],
    ['an error of no class', hex('d9 b7fe 68 46756e6374696f6e')],
    ['a key that is a number', hex('a1 01 01')]
  ]

  test.each(attacks)('%s', (_name, bytes) => {
    expect(attempt(() => readData(bytes))).toBeInstanceOf(ReadError)
    expect(attempt(() => new Reader().read(bytes))).toBeInstanceOf(ReadError)
  })

  test('a prototype cannot be reached through keys', () => {
    const printed = printer.print(
      JSON.parse('{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}')
    )
    if (printed instanceof Promise) throw new Error('plain data took a promise')
    const read = readData(printed.bytes) as object
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype)
    expect(Object.hasOwn(read, '__proto__')).toBe(true)
    expect(Reflect.get({}, 'polluted')).toBeUndefined()
  })

  test('a long sparse array takes no memory', () => {
    const before = process.memoryUsage().heapUsed
    const read = readData(hex('d9 b802 1a ffffffff')) as unknown[]
    expect(read.length).toBe(2 ** 32 - 1)
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(1_000_000)
  })

  test('random bytes', () => {
    assert(
      property(uint8Array({ maxLength: 200 }), (bytes) => void attempt(() => readData(bytes))),
      { numRuns: 5_000 }
    )
  })

  test('a printed value cut anywhere, or with some bits turned', async () => {
    const names = ['a', 'b']
    const value = [
      new Map([[{ a: [1, -0, 2n] }, new Set(['x'])]]),
      new Error('e', { cause: names }),
      new Float64Array(3),
      /x/g,
      names
    ]
    const { bytes } = await printer.print(value)
    for (let end = 0; end < bytes.length; end++) attempt(() => readData(bytes.slice(0, end)))
    assert(
      property(
        array(integer({ min: 0, max: bytes.length * 8 - 1 }), { minLength: 1, maxLength: 4 }),
        (bits) => {
          const turned = bytes.slice()
          for (const bit of bits) turned[bit >> 3]! ^= 1 << (bit & 7)
          attempt(() => readData(turned))
        }
      ),
      { numRuns: 5_000 }
    )
  })

  test('a result brings no function that runs unless it is called', async () => {
    const owner = new Printer()
    const fn = () => 'called'
    const calm = await owner.print({ fn })
    expect((owner.readResult(calm.bytes) as { fn: typeof fn }).fn()).toBe('called')
    for (const value of [
      JSON.parse('{"then":1}', (key, value) => (key === 'then' ? fn : value)),
      {
        get x() {
          return 1
        }
      },
      { [Symbol.iterator]: fn },
      Object.assign(new Error('e'), { toString: fn })
    ]) {
      const { bytes } = await owner.print(value)
      expect(attempt(() => owner.readResult(bytes))).toBeInstanceOf(ReadError)
    }
  })

  test('a value of more objects than memory holds is refused', () => {
    const functions: FunctionReader = {
      readFunction: () => undefined,
      symbol: () => Symbol('any'),
      checkProperty: () => {},
      checkChange: () => {},
      mapStack: (stack) => stack
    }
    const many = (item: string, count: number): Uint8Array =>
      Buffer.concat([
        Buffer.from([0x99, count >> 8, count & 0xff]),
        Buffer.alloc(count * (item.length / 2), item, 'hex')
      ])
    const read = (bytes: Uint8Array): unknown => new Decoder(bytes, functions, 1_000).decode()
    for (const [item, enough] of [
      ['a0', 999],
      ['80', 999],
      ['d90103a0', 124]
    ] as const) {
      expect(read(many(item, enough))).toHaveLength(enough)
      expect(attempt(() => read(many(item, enough + 1)))).toBeInstanceOf(ReadError)
    }
    // Numbers and texts cost what they weigh.
    expect(read(many('00', 60_000))).toHaveLength(60_000)
  })

  test('a result changes nothing that was here before it', async () => {
    class Own {
      method(): number {
        return 1
      }
    }
    const owner = new Printer()
    await owner.print([Own, new Own()])
    const originals = [1, 2, 3, 4].map((identity) => tagged(47126, Buffer.from([identity])))
    const named = [
      builtin('Object', 'prototype'),
      builtin('Array', 'prototype'),
      builtin('JSON'),
      builtin('Math', 'max'),
      tagged(47123, builtin('Array')),
      ...originals,
      ...originals.map((original) => tagged(47123, original)),
      // Named once more, as a shared value.
      tagged(47104, builtin('Object', 'prototype'))
    ]
    const readers = [(bytes: Uint8Array) => owner.readResult(bytes), foreignResultReader()]
    for (const read of readers) {
      for (const base of named) {
        for (const change of [
          extended(base, 'undefined', [text('polluted'), Buffer.from([7]), text('yes')]),
          extended(base, 'undefined', [text('parse'), Buffer.from([7]), builtin('String')]),
          extended(base, 'null', []),
          extended(base, 'undefined', [], 3)
        ]) {
          expect(attempt(() => read(change))).toBeInstanceOf(ReadError)
        }
        const twice = Buffer.concat([Buffer.from([0x82]), tagged(28, base), extended(tagged(29, Buffer.from([0])), 'null', [])]) // prettier-ignore
        expect(attempt(() => read(twice))).toBeInstanceOf(ReadError)
      }
    }
    expect(Reflect.get({}, 'polluted')).toBeUndefined()
    expect(Object.isFrozen(JSON)).toBe(false)
    expect(JSON.parse('1')).toBe(1)
    expect(Object.isFrozen(Own.prototype)).toBe(false)
  })

  test('a result names no global of the program', () => {
    Reflect.set(globalThis, 'globalOfTheProgram', { secret: 1 })
    try {
      const read = foreignResultReader()
      expect(attempt(() => read(builtin('globalOfTheProgram', 'secret')))).toBeInstanceOf(ReadError)
    } finally {
      Reflect.deleteProperty(globalThis, 'globalOfTheProgram')
    }
  })

  test('what a program calls on a list or a text is never a function of the sender', () => {
    const read = foreignResultReader()
    for (const name of ['map', 'slice', 'toFixed', 'get', 'forEach', 'call', 'catch', 'toString', 'then']) {
      const record = Buffer.concat([Buffer.from([0xa1]), text(name), builtin('String')])
      expect(attempt(() => read(record))).toBeInstanceOf(ReadError)
    }
    expect(read(Buffer.concat([Buffer.from([0xa1]), text('make'), builtin('String')]))).toEqual({
      make: String
    })
  })

  test('a result names no built-in that reaches outside, and no unit from elsewhere', async () => {
    const result = new Printer()
    for (const value of [
      process.getBuiltinModule('child_process').execSync,
      Function,
      Reflect.get(process, 'abort'),
      Reflect.get(globalThis, 'eval')
    ]) {
      const { bytes } = await printer.print({ value })
      expect(attempt(() => result.readResult(bytes))).toBeInstanceOf(ReadError)
    }
    const { bytes } = await printer.print(() => 1)
    expect(attempt(() => result.readResult(bytes))).toBeInstanceOf(ReadError)
  })
})
