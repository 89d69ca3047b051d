import { types } from 'node:util'
import { encodeDomException, encodeError, errorProperties } from './encode-error.ts'
import { encodeArrayBuffer, encodeView, isIndex, typedArrayName, viewProperties } from './encode-view.ts'
import { errorClassOf, isDomException } from '../read/intrinsic-errors.ts'
import { type Property, propertiesOf } from './properties.ts'
import { TAG, TYPED_ARRAYS } from '../tags.ts'
import type { ValueWriter } from './value-writer.ts'

const ARRAY_TAGS = new Map<string, number>(TYPED_ARRAYS)

/** How objects of one kind are written. */
export interface Form {
  is(value: object): boolean
  /** The prototype such an object has unless something was done to it. */
  prototype(value: object): object | null
  // Methods, so that each entry may name the type that `is` has made sure of.
  write(value: object, encoder: ValueWriter): void
  /** Always written in the extended form, with these properties. */
  properties?(value: object, encoder: ValueWriter): Property[]
  /** Own properties besides those the plain form holds, in place of {@link ignore}. */
  more?(value: object): Property[]
  /** Own properties that the plain form already holds. */
  ignore?(key: string | symbol): boolean
}

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
    write: encodeDomException,
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

/** The form of an object; undefined when it has nothing but properties. */
export function findForm(value: object): Form | undefined {
  return FORMS.find((form) => form.is(value))
}

function encodeDate(date: Date, { writer }: ValueWriter): void {
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

function encodeMap(map: ReadonlyMap<unknown, unknown>, encoder: ValueWriter): void {
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

function encodeSet(set: ReadonlySet<unknown>, encoder: ValueWriter): void {
  encoder.writer.tag(TAG.set)
  encoder.writer.array(set.size)
  let position = 0
  for (const value of Set.prototype.values.call(set)) encoder.writeAt({ part: `<item ${position++}>` }, value)
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
