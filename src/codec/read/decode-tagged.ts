import { attempt } from './attempt.ts'
import { readExtended } from './decode-extended.ts'
import { readArrayBuffer, readTypedArray, readView } from './decode-view.ts'
import { ERROR_CLASSES } from './intrinsic-errors.ts'
import { TAG, TYPED_ARRAYS } from '../tags.ts'
import type { ValueReader } from './value-reader.ts'

const MAX_ARRAY_LENGTH = 2 ** 32 - 1

/** A BigInt larger than this is refused: making one takes time out of proportion to its bytes. */
const MAX_BIGINT_BYTES = 1024 * 1024

/** Reads the content of a tag. */
export function readTagged(tag: number, decoder: ValueReader): unknown {
  const read = READERS.get(tag)
  return read === undefined ? decoder.functions.readFunction(tag, decoder) : read(decoder)
}

const READERS: ReadonlyMap<number, (decoder: ValueReader) => unknown> = new Map<
  number,
  (decoder: ValueReader) => unknown
>([
  [TAG.date, (decoder) => decoder.register(new Date(Math.round(decoder.readAs('number') * 1_000)))],
  [TAG.extendedTime, readExtendedTime],
  [TAG.positiveBigint, (decoder) => readBigint(decoder)],
  [TAG.negativeBigint, (decoder) => -1n - readBigint(decoder)],
  [TAG.utf16, (decoder) => Buffer.from(decoder.readBytes()).toString('utf16le')],
  [TAG.url, (decoder) => decoder.register(attempt(decoder, () => new URL(decoder.readAs('string'))))],
  [TAG.urlSearchParams, (decoder) => decoder.register(new URLSearchParams(decoder.readAs('string')))],
  [TAG.regexp, readRegExp],
  [TAG.map, readMap],
  [TAG.set, readSet],
  [TAG.sparse, readSparse],
  [TAG.extended, readExtended],
  [TAG.error, readError],
  [TAG.domException, readDomException],
  [TAG.boxed, (decoder) => decoder.register(Object(decoder.read()))],
  [TAG.symbol, readSymbol],
  [TAG.arrayBuffer, readArrayBuffer],
  [TAG.dataView, (decoder) => decoder.register(new DataView(decoder.readBytes().buffer))],
  [TAG.buffer, (decoder) => decoder.register(Buffer.from(decoder.readBytes().buffer))],
  [TAG.view, readView],
  [TAG.temporal, readTemporal],
  ...TYPED_ARRAYS.map(
    ([name, tag]) => [tag, (decoder: ValueReader) => readTypedArray(name, decoder)] as const
  )
])

function readExtendedTime(decoder: ValueReader): Date {
  return decoder.registerLater(() => {
    const parts = readMap(decoder)
    const [seconds, milliseconds] = [parts.get(1), parts.get(-3)]
    if (typeof seconds !== 'number' || typeof milliseconds !== 'number') {
      return decoder.reader.fail('expected a time')
    }
    return new Date(seconds * 1_000 + milliseconds)
  })
}

function readBigint(decoder: ValueReader): bigint {
  const bytes = decoder.readBytes()
  if (bytes.length > MAX_BIGINT_BYTES) decoder.reader.fail(`a BigInt of ${bytes.length} bytes`)
  return bytes.length === 0 ? 0n : BigInt(`0x${Buffer.from(bytes.buffer).toString('hex')}`)
}

function readRegExp(decoder: ValueReader): RegExp {
  const count = decoder.readCount()
  const source = decoder.readAs('string')
  const flags = decoder.readAs('string')
  const pattern = decoder.register(attempt(decoder, () => new RegExp(source, flags)))
  if (count === 3) pattern.lastIndex = decoder.readAs('number')
  return pattern
}

function readMap(decoder: ValueReader): Map<unknown, unknown> {
  const first = decoder.reader.first()
  if (first >> 5 !== 5) decoder.reader.fail('expected a map')
  const count = decoder.reader.count(first, 2)
  const map = decoder.register(new Map<unknown, unknown>())
  for (let index = 0; index < count; index++) {
    const key = decoder.read()
    map.set(key, decoder.read())
  }
  return map
}

function readSet(decoder: ValueReader): Set<unknown> {
  const set = decoder.register(new Set<unknown>())
  const count = decoder.readCount()
  for (let index = 0; index < count; index++) set.add(decoder.read())
  return set
}

function readSparse(decoder: ValueReader): unknown[] {
  const array: unknown[] = decoder.register([])
  const length = decoder.readAs('number')
  if (!(length >= 0 && length <= MAX_ARRAY_LENGTH)) decoder.reader.fail(`an array of length ${length}`)
  // Far beyond its elements V8 keeps an array as a table, so that this takes no memory.
  array.length = length
  return array
}

function readError(decoder: ValueReader): Error {
  const name = decoder.readAs('string')
  const prototype = ERROR_CLASSES.get(name)?.prototype ?? decoder.reader.fail(`no error class ${name}`)
  const error = new Error()
  // An error made here tells a stack of ours, which is nobody's business.
  delete error.stack
  return decoder.register(Object.setPrototypeOf(error, prototype))
}

function readDomException(decoder: ValueReader): DOMException {
  decoder.readCount(3)
  const exception = decoder.register(new DOMException(decoder.readAs('string'), decoder.readAs('string')))
  const stack = decoder.read()
  Object.defineProperty(exception, 'stack', { value: stack, configurable: true, writable: true })
  return exception
}

function readSymbol(decoder: ValueReader): symbol {
  const count = decoder.readCount()
  const kind = decoder.readAs('number')
  if (kind === 2) {
    const identity = decoder.readAs('number')
    const description = decoder.read()
    if (count !== 3 || (description !== undefined && typeof description !== 'string'))
      decoder.reader.fail('expected a symbol')
    return decoder.functions.symbol(identity, description)
  }
  const name = decoder.readAs('string')
  if (kind === 1) return Symbol.for(name)
  const symbol: unknown = Reflect.get(Symbol, name)
  return typeof symbol === 'symbol' ? symbol : decoder.reader.fail(`no symbol Symbol.${name}`)
}

function readTemporal(decoder: ValueReader): object {
  decoder.readCount(2)
  const name = decoder.readAs('string')
  const text = decoder.readAs('string')
  const temporal: object =
    Reflect.get(globalThis, 'Temporal') ?? decoder.reader.fail('this version of Node has no Temporal')
  const constructor: unknown = Object.hasOwn(temporal, name) ? Reflect.get(temporal, name) : undefined
  if (typeof constructor !== 'function' || !('from' in constructor))
    return decoder.reader.fail(`no Temporal.${name}`)
  return decoder.register(attempt(decoder, () => (constructor.from as (text: string) => object)(text)))
}
