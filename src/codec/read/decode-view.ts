import { attempt } from './attempt.ts'
import { TYPED_ARRAYS } from '../tags.ts'
import type { ValueReader } from './value-reader.ts'

/** How far a resizable buffer may be allowed to grow. */
const MAX_RESERVED_BYTES = 1024 ** 3

export function readArrayBuffer(decoder: ValueReader): ArrayBuffer {
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

export function readTypedArray(name: (typeof TYPED_ARRAYS)[number][0], decoder: ValueReader): object {
  const { buffer } = decoder.readBytes()
  return decoder.register(attempt(decoder, () => makeView(name, buffer, 0, buffer.byteLength, decoder)))
}

export function readView(decoder: ValueReader): object {
  // The view takes its number only once its buffer, which comes first on the wire, has taken its own.
  return decoder.registerLater(() => {
    decoder.readCount(4)
    const name = decoder.readAs('string')
    const buffer = decoder.readAs('object')
    const offset = decoder.readAs('number')
    // Undefined for a view that follows the length of its buffer.
    const byteLength = decoder.read()
    if (byteLength !== undefined && typeof byteLength !== 'number')
      return decoder.reader.fail('expected a length')
    if (!(buffer instanceof ArrayBuffer)) return decoder.reader.fail('expected an ArrayBuffer')
    return attempt(decoder, () => makeView(name, buffer, offset, byteLength, decoder))
  })
}

interface ViewConstructor {
  new (buffer: ArrayBuffer, byteOffset: number, length?: number): object
  readonly BYTES_PER_ELEMENT?: number
}

function makeView(
  name: string,
  buffer: ArrayBuffer,
  offset: number,
  byteLength: number | undefined,
  decoder: ValueReader
): object {
  const known = name === 'DataView' || TYPED_ARRAYS.some(([each]) => each === name)
  const constructor: ViewConstructor | undefined = known ? Reflect.get(globalThis, name) : undefined
  if (constructor === undefined) return decoder.reader.fail(`no ${name} in this version of Node`)
  if (byteLength === undefined) return new constructor(buffer, offset)
  return new constructor(buffer, offset, byteLength / (constructor.BYTES_PER_ELEMENT ?? 1))
}
