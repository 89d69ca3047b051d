import { array, assert, integer, property, uint8Array } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ReadError } from '../../src/codec/errors.ts'
import { Printer } from '../../src/codec/print.ts'
import { readData } from '../../src/codec/read-data.ts'
import { Reader } from '../../src/codec/read.ts'

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
