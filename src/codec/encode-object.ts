import { types } from 'node:util'
import { errorClassOf, isDomException } from './intrinsic-errors.ts'
import type { Encoder } from './encode.ts'
import {
  hasMoreThanElements,
  type Property,
  integrityOf,
  propertiesOf,
  WRITABLE,
  CONFIGURABLE
} from './properties.ts'
import { refuseUnprintable } from './refusals.ts'
import { TAG, TYPED_ARRAYS } from './tags.ts'

const ARRAY_TAGS = new Map<string, number>(TYPED_ARRAYS)

/** Writes an object that is more than a plain record or a dense array. */
export function encodeObject(value: object, encoder: Encoder): void {
  if (encoder.functions.writeBuiltin(value, encoder)) return
  const owner = prototypeOwner(value)
  if (owner !== undefined) return encodePrototype(owner, encoder)
  refuseUnprintable(value)
  if (encoder.functions.writeSpecial(value, encoder)) return
  const form = findForm(value)
  if (form === undefined) {
    return encodeExtended(value, encoder, Object.prototype, () => encoder.writer.map(0), propertiesOf(value))
  }
  const prototype = form.prototype(value)
  const properties =
    form.properties?.(value, encoder) ??
    form.more?.(value) ??
    propertiesOf(value, (key) => form.ignore?.(key) === true)
  const isPlain = form.properties === undefined && properties.length === 0 && Object.isExtensible(value)
  if (isPlain && Object.getPrototypeOf(value) === prototype) return form.write(value, encoder)
  encodeExtended(value, encoder, prototype, () => form.write(value, encoder), properties)
}

/** The function whose `prototype` an object is, so that it is written as such and never as data. */
function prototypeOwner(value: object): Function | undefined {
  const owner: unknown = Object.hasOwn(value, 'constructor') ? Reflect.get(value, 'constructor') : undefined
  return typeof owner === 'function' && owner.prototype === value ? owner : undefined
}

function encodePrototype(owner: Function, encoder: Encoder): void {
  encoder.writer.tag(TAG.prototypeOf)
  encoder.write(owner)
}

function encodeExtended(
  value: object,
  encoder: Encoder,
  plainPrototype: object | null,
  writeBase: () => void,
  properties: readonly Property[]
): void {
  const { writer } = encoder
  const prototype: object | null = Object.getPrototypeOf(value)
  writer.tag(TAG.extended)
  writer.array(4)
  writeBase()
  encoder.write(prototype === plainPrototype || replacesClass(value, encoder) ? undefined : prototype)
  encoder.writeProperties(properties)
  writer.number(integrityOf(value))
}

/** An error whose class cannot travel arrives as the built-in class it extends, under its own name. */
function replacesClass(value: object, encoder: Encoder): boolean {
  return types.isNativeError(value) && !encoder.functions.canWriteClass(value.constructor)
}

interface Form {
  is(value: object): boolean
  /** The prototype such an object has unless something was done to it. */
  prototype(value: object): object | null
  // Methods, so that each entry may name the type that `is` has made sure of.
  write(value: object, encoder: Encoder): void
  /** Always written in the extended form, with these properties. */
  properties?(value: object, encoder: Encoder): Property[]
  /** Own properties besides those the plain form holds, in place of {@link ignore}. */
  more?(value: object): Property[]
  /** Own properties that the plain form already holds. */
  ignore?(key: string | symbol): boolean
}

/** Typed arrays are long: their keys are listed only when there is more than elements. */
function viewProperties(view: NodeJS.TypedArray): Property[] {
  return hasMoreThanElements(view) ? propertiesOf(view, isIndex) : []
}

const isIndex = (key: string | symbol) => typeof key === 'string' && /^\d+$/.test(key)

/** The objects the language knows, told by their internal slots and never by what they say of themselves. */
const FORMS: readonly Form[] = [
  {
    is: Array.isArray,
    prototype: () => Array.prototype,
    write: (value: unknown[], { writer }) => {
      writer.tag(TAG.sparse)
      writer.number(value.length)
    },
    properties: (value: unknown[]) => propertiesOf(value, (key) => key === 'length')
  },
  {
    is: types.isDate,
    prototype: () => Date.prototype,
    write: encodeDate
  },
  { is: types.isMap, prototype: () => Map.prototype, write: encodeMap },
  { is: types.isSet, prototype: () => Set.prototype, write: encodeSet },
  {
    is: isDomException,
    prototype: () => DOMException.prototype,
    write: ({ message, name, stack }: DOMException, encoder) => {
      encoder.writer.tag(TAG.domException)
      encoder.writer.array(3)
      encoder.write(message)
      encoder.write(name)
      encoder.write(stack)
    },
    ignore: () => true
  },
  {
    is: types.isNativeError,
    prototype: (value) => errorClassOf(value).prototype,
    write: encodeError,
    properties: errorProperties
  },
  {
    is: types.isRegExp,
    prototype: () => RegExp.prototype,
    write: ({ source, flags, lastIndex }: RegExp, { writer }) => {
      writer.tag(TAG.regexp)
      writer.array(lastIndex === 0 ? 2 : 3)
      writer.text(source)
      writer.text(flags)
      if (lastIndex !== 0) writer.number(lastIndex)
    },
    ignore: (key) => key === 'lastIndex'
  },
  {
    is: (value) => Buffer.isBuffer(value),
    prototype: () => Buffer.prototype,
    write: (value: Buffer, encoder) => encodeView(value, 'Buffer', TAG.buffer, encoder),
    more: viewProperties
  },
  {
    is: types.isTypedArray,
    prototype: (value) => Reflect.get(globalThis, typedArrayName(value)).prototype,
    write: (value: NodeJS.TypedArray, encoder) => {
      const name = typedArrayName(value)
      encodeView(value, name, name === 'Uint8Array' ? undefined : ARRAY_TAGS.get(name), encoder)
    },
    more: viewProperties
  },
  { is: types.isArrayBuffer, prototype: () => ArrayBuffer.prototype, write: encodeArrayBuffer },
  {
    is: types.isDataView,
    prototype: () => DataView.prototype,
    write: (value: DataView, encoder) => encodeView(value, 'DataView', TAG.dataView, encoder)
  },
  {
    is: types.isBoxedPrimitive,
    prototype: (value) => Object.getPrototypeOf(Object(unbox(value))),
    write: (value: object, encoder) => {
      encoder.writer.tag(TAG.boxed)
      encoder.write(unbox(value))
    },
    ignore: (key) => key === 'length' || isIndex(key)
  },
  {
    is: (value) => value instanceof URL,
    prototype: () => URL.prototype,
    write: (value: URL, { writer }) => {
      writer.tag(TAG.url)
      writer.text(value.href)
    }
  },
  {
    is: (value) => value instanceof URLSearchParams,
    prototype: () => URLSearchParams.prototype,
    write: (value: URLSearchParams, { writer }) => {
      writer.tag(TAG.urlSearchParams)
      writer.text(value.toString())
    },
    ignore: (key) => typeof key === 'symbol'
  },
  {
    is: (value) => temporalClass(value) !== undefined,
    prototype: (value) => Object.getPrototypeOf(value),
    write: (value: object, { writer }) => {
      writer.tag(TAG.temporal)
      writer.array(2)
      writer.text(temporalClass(value) ?? '')
      writer.text(Reflect.apply(Reflect.get(value, 'toString') as () => string, value, []))
    }
  }
]

function findForm(value: object): Form | undefined {
  return FORMS.find((form) => form.is(value))
}

function encodeDate(date: Date, { writer }: Encoder): void {
  const milliseconds = date.getTime()
  const seconds = milliseconds / 1_000
  if (Math.round(seconds * 1_000) === milliseconds || Number.isNaN(milliseconds)) {
    writer.tag(TAG.date)
    return writer.number(seconds)
  }
  // Tens of thousands of years away, a number of seconds no longer holds the milliseconds.
  const wholeSeconds = Math.floor(seconds)
  writer.tag(TAG.extendedTime)
  writer.map(2)
  writer.number(1)
  writer.number(wholeSeconds)
  writer.number(-3)
  writer.number(milliseconds - wholeSeconds * 1_000)
}

function encodeMap(map: ReadonlyMap<unknown, unknown>, encoder: Encoder): void {
  encoder.writer.tag(TAG.map)
  encoder.writer.map(map.size)
  let position = 0
  for (const [key, value] of Map.prototype.entries.call(map)) {
    encoder.writeAt({ part: `<key ${position}>` }, key)
    encoder.writeAt(
      { part: typeof key === 'string' ? `.get(${JSON.stringify(key)})` : `<value ${position}>` },
      value
    )
    position++
  }
}

function encodeSet(set: ReadonlySet<unknown>, encoder: Encoder): void {
  encoder.writer.tag(TAG.set)
  encoder.writer.array(set.size)
  let position = 0
  for (const value of Set.prototype.values.call(set)) encoder.writeAt({ part: `<item ${position++}>` }, value)
}

function encodeError(error: Error, { writer }: Encoder): void {
  writer.tag(TAG.error)
  writer.text(errorClassOf(error).name)
}

function errorProperties(error: Error, encoder: Encoder): Property[] {
  const hidden = WRITABLE | CONFIGURABLE
  const properties = propertiesOf(error, (key) => key === 'stack')
  const { stack } = error
  if (typeof stack === 'string') properties.unshift({ key: 'stack', flags: hidden, value: stack })
  const isOfBuiltin = Object.getPrototypeOf(error) === errorClassOf(error).prototype
  if (!isOfBuiltin && !Object.hasOwn(error, 'name') && !encoder.functions.canWriteClass(error.constructor)) {
    const name = error.name === errorClassOf(error).name ? error.constructor.name : error.name
    properties.push({ key: 'name', flags: hidden, value: name })
  }
  return properties
}

/**
 * A view of a buffer of its own, or of a part of one, is its bytes. Only when its buffer has other owners in the same
 * value does the buffer travel, once.
 */
function encodeView(
  view: NodeJS.ArrayBufferView,
  kind: string,
  tag: number | undefined,
  encoder: Encoder
): void {
  const { writer } = encoder
  if (types.isSharedArrayBuffer(view.buffer)) refuseUnprintable(view.buffer)
  // Small Buffers are cut from one pool of Node's, with whatever else is in it: they never share.
  if (kind === 'Buffer' || !encoder.isShared(view.buffer)) {
    if (tag !== undefined) writer.tag(tag)
    return writer.bytes(new Uint8Array(view.buffer, view.byteOffset, view.byteLength))
  }
  writer.tag(TAG.view)
  writer.array(4)
  writer.text(kind)
  encoder.write(view.buffer)
  writer.number(view.byteOffset)
  writer.number(view.byteLength)
}

function encodeArrayBuffer(buffer: ArrayBuffer, { writer }: Encoder): void {
  writer.tag(TAG.arrayBuffer)
  if (buffer.resizable) writer.array(2)
  writer.bytes(new Uint8Array(buffer))
  if (buffer.resizable) writer.number(buffer.maxByteLength)
}

function typedArrayName(value: object): string {
  // Read from the prototype of all typed arrays, past what the object may say of itself.
  return String(Reflect.get(Object.getPrototypeOf(Uint8Array.prototype) as object, Symbol.toStringTag, value))
}

function unbox(value: object): unknown {
  if (types.isNumberObject(value)) return Number.prototype.valueOf.call(value)
  if (types.isStringObject(value)) return String.prototype.valueOf.call(value)
  if (types.isBooleanObject(value)) return Boolean.prototype.valueOf.call(value)
  if (types.isBigIntObject(value)) return BigInt.prototype.valueOf.call(value)
  return Symbol.prototype.valueOf.call(value)
}

function temporalClass(value: object): string | undefined {
  const tag: unknown = Reflect.get(value, Symbol.toStringTag)
  if (typeof tag !== 'string' || !tag.startsWith('Temporal.')) return undefined
  const name = tag.slice('Temporal.'.length)
  const constructor: unknown = Reflect.get(Reflect.get(globalThis, 'Temporal') ?? {}, name)
  return typeof constructor === 'function' && value instanceof constructor ? name : undefined
}
