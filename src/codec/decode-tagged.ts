import type { Decoder } from './decode.ts'
import { ERROR_CLASSES } from './intrinsic-errors.ts'
import { ACCESSOR, applyIntegrity, defineProperty } from './properties.ts'
import { TAG, TYPED_ARRAYS } from './tags.ts'

const MAX_ARRAY_LENGTH = 2 ** 32 - 1

/** How far a resizable buffer may be allowed to grow. */
const MAX_RESERVED_BYTES = 1024 ** 3

/** A BigInt larger than this is refused: making one takes time out of proportion to its bytes. */
const MAX_BIGINT_BYTES = 1024 * 1024

/** Reads the content of a tag. */
export function readTagged(tag: number, decoder: Decoder): unknown {
  const read = READERS.get(tag)
  return read === undefined ? decoder.functions.readFunction(tag, decoder) : read(decoder)
}

const READERS: ReadonlyMap<number, (decoder: Decoder) => unknown> = new Map<
  number,
  (decoder: Decoder) => unknown
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
  ...TYPED_ARRAYS.map(([name, tag]) => [tag, (decoder: Decoder) => readTypedArray(name, decoder)] as const)
])

function readExtendedTime(decoder: Decoder): Date {
  return decoder.registerLater(() => {
    const parts = readMap(decoder)
    const [seconds, milliseconds] = [parts.get(1), parts.get(-3)]
    if (typeof seconds !== 'number' || typeof milliseconds !== 'number') {
      return decoder.reader.fail('expected a time')
    }
    return new Date(seconds * 1_000 + milliseconds)
  })
}

function readBigint(decoder: Decoder): bigint {
  const bytes = decoder.readBytes()
  if (bytes.length > MAX_BIGINT_BYTES) decoder.reader.fail(`a BigInt of ${bytes.length} bytes`)
  return bytes.length === 0 ? 0n : BigInt(`0x${Buffer.from(bytes.buffer).toString('hex')}`)
}

function readRegExp(decoder: Decoder): RegExp {
  const count = decoder.readCount()
  const source = decoder.readAs('string')
  const flags = decoder.readAs('string')
  const pattern = decoder.register(attempt(decoder, () => new RegExp(source, flags)))
  if (count === 3) pattern.lastIndex = decoder.readAs('number')
  return pattern
}

function readMap(decoder: Decoder): Map<unknown, unknown> {
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

function readSet(decoder: Decoder): Set<unknown> {
  const set = decoder.register(new Set<unknown>())
  const count = decoder.readCount()
  for (let index = 0; index < count; index++) set.add(decoder.read())
  return set
}

function readSparse(decoder: Decoder): unknown[] {
  const array: unknown[] = decoder.register([])
  const length = decoder.readAs('number')
  if (!(length >= 0 && length <= MAX_ARRAY_LENGTH)) decoder.reader.fail(`an array of length ${length}`)
  // Far beyond its elements V8 keeps an array as a table, so that this takes no memory.
  array.length = length
  return array
}

/** [base, prototype or undefined, properties, integrity] */
function readExtended(decoder: Decoder): object {
  decoder.readCount(4)
  const base = decoder.read()
  if ((typeof base !== 'object' && typeof base !== 'function') || base === null)
    return decoder.reader.fail(`expected an object, got ${typeof base}`)
  const prototype = decoder.read()
  if (prototype !== undefined) setPrototype(base, prototype, decoder)
  readProperties(base, decoder)
  applyIntegrity(base, decoder.read())
  return base
}

/** Reads [key, flags, value, …] onto an object. */
export function readProperties(target: object, decoder: Decoder): void {
  const count = decoder.readCount()
  if (count % 3 !== 0) decoder.reader.fail('properties come in threes')
  for (let index = 0; index < count; index += 3) {
    const key = decoder.read()
    const flags = decoder.readAs('number')
    const value = key === 'stack' ? mapStackOf(target, decoder) : decoder.read()
    if (typeof key !== 'string' && typeof key !== 'symbol')
      return decoder.reader.fail('expected a property key')
    if ((flags & ACCESSOR) !== 0 && !isAccessorPair(value))
      decoder.reader.fail('expected a getter and a setter')
    const isAccessor = (flags & ACCESSOR) !== 0
    if (isAccessor || typeof value === 'function') decoder.functions.checkProperty(key, isAccessor, decoder)
    attempt(decoder, () => defineProperty(target, { key, flags, value }))
  }
}

function mapStackOf(target: object, decoder: Decoder): unknown {
  const stack = decoder.read()
  return target instanceof Error && typeof stack === 'string' ? decoder.functions.mapStack(stack) : stack
}

export function setPrototype(target: object, prototype: unknown, decoder: Decoder): void {
  if (typeof prototype !== 'object' && typeof prototype !== 'function')
    decoder.reader.fail('expected a prototype')
  attempt(decoder, () => Object.setPrototypeOf(target, prototype))
}

function isAccessorPair(value: unknown): boolean {
  const isPart = (part: unknown) => part === undefined || typeof part === 'function'
  return Array.isArray(value) && value.length === 2 && value.every(isPart)
}

function readError(decoder: Decoder): Error {
  const name = decoder.readAs('string')
  const prototype = ERROR_CLASSES.get(name)?.prototype ?? decoder.reader.fail(`no error class ${name}`)
  const error = new Error()
  // An error made here tells a stack of ours, which is nobody's business.
  delete error.stack
  return decoder.register(Object.setPrototypeOf(error, prototype))
}

function readDomException(decoder: Decoder): DOMException {
  decoder.readCount(3)
  const exception = decoder.register(new DOMException(decoder.readAs('string'), decoder.readAs('string')))
  const stack = decoder.read()
  Object.defineProperty(exception, 'stack', { value: stack, configurable: true, writable: true })
  return exception
}

function readSymbol(decoder: Decoder): symbol {
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

function readArrayBuffer(decoder: Decoder): ArrayBuffer {
  const content = decoder.reader.first()
  if (content >> 5 === 2) return decoder.register(decoder.reader.bytes(content).buffer)
  if (content !== 0x82) decoder.reader.fail('expected [bytes, maxByteLength]')
  const bytes = decoder.readBytes()
  const maxByteLength = decoder.readAs('number')
  // A buffer reserves what it may grow to, so a peer that names a large number must not be believed.
  if (maxByteLength > MAX_RESERVED_BYTES)
    decoder.reader.fail(`a buffer that may grow to ${maxByteLength} bytes`)
  const buffer = attempt(decoder, () => new ArrayBuffer(bytes.length, { maxByteLength }))
  new Uint8Array(buffer).set(bytes)
  return decoder.register(buffer)
}

function readTypedArray(name: (typeof TYPED_ARRAYS)[number][0], decoder: Decoder): object {
  const { buffer } = decoder.readBytes()
  return decoder.register(attempt(decoder, () => makeView(name, buffer, 0, buffer.byteLength, decoder)))
}

function readView(decoder: Decoder): object {
  // The view takes its number only once its buffer, which comes first on the wire, has taken its own.
  return decoder.registerLater(() => {
    decoder.readCount(4)
    const name = decoder.readAs('string')
    const buffer = decoder.readAs('object')
    const offset = decoder.readAs('number')
    const byteLength = decoder.readAs('number')
    if (!(buffer instanceof ArrayBuffer)) return decoder.reader.fail('expected an ArrayBuffer')
    return attempt(decoder, () => makeView(name, buffer, offset, byteLength, decoder))
  })
}

interface ViewConstructor {
  new (buffer: ArrayBuffer, byteOffset: number, length: number): object
  readonly BYTES_PER_ELEMENT?: number
}

function makeView(
  name: string,
  buffer: ArrayBuffer,
  offset: number,
  byteLength: number,
  decoder: Decoder
): object {
  const known = name === 'DataView' || TYPED_ARRAYS.some(([each]) => each === name)
  const constructor: ViewConstructor | undefined = known ? Reflect.get(globalThis, name) : undefined
  if (constructor === undefined) return decoder.reader.fail(`no ${name} in this version of Node`)
  return new constructor(buffer, offset, byteLength / (constructor.BYTES_PER_ELEMENT ?? 1))
}

function readTemporal(decoder: Decoder): object {
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

/** What the language refuses to make from hostile bytes is an error of the bytes. */
function attempt<T>(decoder: Decoder, make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (error instanceof Error && error.name === 'ReadError') throw error
    return decoder.reader.fail(error instanceof Error ? error.message : String(error))
  }
}
