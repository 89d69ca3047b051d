import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { PrintError } from '../../src/codec/errors.ts'
import { Printer } from '../../src/codec/print/print.ts'
import { travel } from './travel.ts'

/** What the web platform's tests of structured clone send, each value alone, in an array and in an object. */
const numbers = [
  0.2,
  0,
  -0,
  NaN,
  Infinity,
  -Infinity,
  2 ** 53,
  -(2 ** 53),
  2 ** 53 + 2,
  -(2 ** 53) - 2,
  2 ** 31,
  1e308
]
const texts = ['', '\ud800', '\udc00', '\u0000', '\udbff\udffd', '\udffd\udbff', '"', '\\', '\n', '\u2028']
const bigints = [0n, -0n, -12n, -9007199254740994000n, -(10n ** 75n), 2n ** 63n]
const dates = [new Date(0), new Date(-0), new Date(-8.64e15), new Date(8.64e15), new Date(NaN)]
const patterns = [
  Object.assign(/foo/gim, { lastIndex: 2 }),
  /foo/y,
  /foo/u,
  /[a--b]/v,
  /(?<name>x)/d,
  new RegExp(''),
  new RegExp('/'),
  new RegExp('\n'),
  /[</script>]/
]
const errors = [
  new Error(),
  ...[Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((constructor) =>
    Object.assign(new constructor('message'), { foo: 'testing' })
  ),
  new Error('with a cause', { cause: { any: 'value' } }),
  new Error('with a cause of undefined', { cause: undefined }),
  Object.assign(new Error('renamed'), { name: 'Other' }),
  new AggregateError([new Error('one'), 2], 'several'),
  new DOMException('gone', 'DataCloneError')
]
const scalars: ReadonlyArray<readonly [name: string, values: readonly unknown[]]> = [
  ['undefined, null and booleans', [undefined, null, true, false]],
  ['numbers', numbers],
  ['texts', texts],
  ['big integers', bigints],
  ['Boolean objects', [true, false].map(Object)],
  ['Number objects', numbers.map(Object)],
  ['String objects', texts.map(Object)],
  ['BigInt objects', bigints.map(Object)],
  ['Symbol objects', [Object(Symbol.iterator), Object(Symbol.for('x'))]],
  ['dates', dates],
  ['regular expressions', patterns],
  ['errors', errors],
  ['URLs', [new URL('https://example.org/a?b#c'), new URLSearchParams('a=1&b')]],
  ['Temporal', temporals()]
]

const foo = (attributes: PropertyDescriptor): object =>
  Object.defineProperty({}, 'foo', {
    value: 'bar',
    enumerable: true,
    writable: true,
    configurable: true,
    ...attributes
  })
const twin = {}
const keyed = new Map<unknown, unknown>()
keyed.set(keyed, new Set([keyed]))
const growing = new ArrayBuffer(16, { maxByteLength: 64 })
const buffer = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]).buffer
const self: unknown[] = []
self[0] = self
const me: Record<string, unknown> = {}
me['x'] = me
const bare = Object.create(null) as Record<string, unknown>
bare['self'] = bare
const verySparse: unknown[] = []
verySparse[1_000_000] = 'far'

const objects: Readonly<Record<string, unknown>> = {
  'an array of holes': Array(10),
  'a very sparse array': verySparse,
  'an array with a property': Object.assign([], { foo: 'bar' }),
  'an object with an index and a length': { 0: 'foo', length: 1 },
  'something like an array, of any length': { length: Number.MAX_SAFE_INTEGER },
  'an array within itself': self,
  'an object within itself': me,
  'an object without prototype within itself': bare,
  'one object twice in an array': [twin, twin],
  'one object twice in an object': { x: twin, y: twin },
  'a Map and a Set within each other': keyed,
  'a hidden property': foo({ enumerable: false }),
  'a property that cannot be written': foo({ writable: false }),
  'a property that cannot be configured': foo({ configurable: false }),
  'a symbol as key': { [Symbol.for('a')]: 1, [Symbol.hasInstance]: 2 },
  'a hidden symbol as key': Object.defineProperty({}, Symbol.for('hidden'), { value: 1 }),
  '__proto__ as key': JSON.parse('{ "__proto__": [], "a": 1 }'),
  'a date with a property': Object.assign(new Date(1), { extra: 1 }),
  'a Map with a property': Object.assign(new Map([[1, 2]]), { extra: 1 }),
  'an ArrayBuffer': buffer,
  'an ArrayBuffer and its views': [buffer, new Uint8Array(buffer, 2, 3), new DataView(buffer, 1), buffer],
  'a view twice': [new Int16Array(2), buffer].flatMap((each) => [each, each]),
  'a frozen array of frozen objects': Object.freeze([Object.freeze({ a: 1 })]),
  'something like a RegExp': Object.create(RegExp.prototype, { source: { value: 'x' } }),
  'an array of every kind': [...numbers, ...texts, ...bigints, ...dates]
}

describe('values of structured clone', () => {
  test.each(scalars)('%s', async (_name, values) => {
    for (const value of values) {
      const [alone, array, object] = await travel([value, [value], { value }] as const)
      for (const there of [alone, array[0], object.value]) {
        expect(there).toStrictEqual(value)
        expect(Object.is(there, value)).toBe(typeof value !== 'object' || value === null)
        expect(Object.prototype.toString.call(there)).toBe(Object.prototype.toString.call(value))
      }
    }
  })

  test.each(Object.entries(objects))('%s', async (_name, value) => {
    const there = await travel(value)
    expect(there).toStrictEqual(value)
    expect(there).not.toBe(value)
    expect(Object.getOwnPropertyDescriptors(there)).toStrictEqual(Object.getOwnPropertyDescriptors(value))
  })

  test('a view that follows the length of its buffer goes on following it', async () => {
    const [bytes, view] = await travel([new Uint8Array(growing), new DataView(growing)] as const)
    expect([bytes.buffer.resizable, bytes.buffer.maxByteLength, bytes.buffer === view.buffer]).toEqual([
      true,
      64,
      true
    ])
    bytes.buffer.resize(32)
    expect([bytes.length, view.byteLength]).toEqual([32, 32])
    const alone = await travel(new Uint8Array(growing, 8))
    alone.buffer.resize(32)
    expect(alone.length).toBe(24)
    const fixed = await travel(new Uint8Array(growing, 0, 4))
    expect(fixed.length).toBe(4)
  })

  test('objects of another realm are objects of this one', async () => {
    const foreign: unknown = runInNewContext(
      `({ plain: { a: [1, 2] }, map: new Map([[1, new Set([2])]]), date: new Date(3), pattern: /x/g, bytes: new Uint8Array([1]),
         error: new RangeError('far'), boxed: Object(1), bare: Object.create(null), add: (a) => a + 1 })`
    )
    const there = (await travel(foreign)) as Record<string, unknown>
    expect(there['plain']).toStrictEqual({ a: [1, 2] })
    expect(there['map']).toStrictEqual(new Map([[1, new Set([2])]]))
    expect(there['date']).toStrictEqual(new Date(3))
    expect(there['pattern']).toStrictEqual(/x/g)
    expect(there['bytes']).toStrictEqual(new Uint8Array([1]))
    expect(there['error']).toBeInstanceOf(RangeError)
    expect(there['boxed']).toBeInstanceOf(Number)
    expect((there['add'] as (a: number) => number)(1)).toBe(2)
  })
})

const detached = new ArrayBuffer(8)
const ofDetached = new Uint8Array(detached)
structuredClone(detached, { transfer: [detached] })
const shrunk = new ArrayBuffer(16, { maxByteLength: 32 })
const outOfBounds = new Uint8Array(shrunk, 8)
shrunk.resize(0)

const refused: Readonly<Record<string, () => unknown>> = {
  'a detached ArrayBuffer': () => detached,
  'a view of a detached ArrayBuffer': () => ofDetached,
  'a view out of the bounds of its buffer': () => outOfBounds,
  'a SharedArrayBuffer': () => new SharedArrayBuffer(8),
  'a growable SharedArrayBuffer': () => new SharedArrayBuffer(8, { maxByteLength: 16 }),
  'a Blob': () => new Blob(['foo']),
  'a File': () => new File(['foo'], 'bar'),
  'a MessagePort': () => new MessageChannel().port1,
  'a stream': () => new ReadableStream(),
  'a response': () => new Response('x'),
  headers: () => new Headers(),
  'a form': () => new FormData(),
  'an AbortController': () => new AbortController(),
  'an event': () => new Event('x'),
  'an event target': () => new EventTarget(),
  'a number format': () => new Intl.NumberFormat(),
  'a TextDecoder': () => new TextDecoder(),
  'a Promise': () => Promise.resolve(),
  'a WeakMap': () => new WeakMap(),
  'a WeakSet': () => new WeakSet(),
  'a WeakRef': () => new WeakRef({}),
  'a FinalizationRegistry': () => new FinalizationRegistry(() => {}),
  'a Proxy': () => new Proxy([], {}),
  'a Proxy of a function': () => new Proxy(() => {}, {}),
  'a running generator': () =>
    (function* () {
      yield 1
    })(),
  'an iterator of an array': () => [1].values(),
  'an iterator of a Map': () => new Map().entries(),
  'an iterator of matches': () => 'a'.matchAll(/a/g),
  'an iterator helper': () => [1].values().map(String),
  'a disposable stack': () => new DisposableStack(),
  arguments: () =>
    (function (..._rest: unknown[]) {
      return arguments // oxlint-disable-line prefer-rest-params
    })(1)
}

describe('refused', () => {
  test.each(Object.entries(refused))('%s', async (_name, make) => {
    const outcome: unknown = await Promise.resolve()
      .then(() => new Printer().print({ inner: make() }, 'job 0'))
      .catch((error: unknown) => error)
    expect(outcome).toBeInstanceOf(PrintError)
    expect((outcome as PrintError).path).toBe('job 0 -> inner')
  })
})

function temporals(): unknown[] {
  const temporal: unknown = Reflect.get(globalThis, 'Temporal')
  if (typeof temporal !== 'object' || temporal === null) return []
  const from = (name: string, text: string): unknown =>
    (Reflect.get(temporal, name) as { from(text: string): unknown }).from(text)
  return [
    from('Duration', 'P1Y2M3DT4H5M6.007S'),
    from('Instant', '2026-11-22T10:00:00.123456789Z'),
    from('PlainDate', '2026-11-22'),
    from('PlainTime', '10:00:00.5'),
    from('PlainDateTime', '2026-11-22T10:00'),
    from('PlainMonthDay', '11-22'),
    from('PlainYearMonth', '2026-11'),
    from('ZonedDateTime', '2026-11-22T10:00+01:00[Europe/Vienna]')
  ]
}
