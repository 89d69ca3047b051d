import { replacesClass } from './encode-error.ts'
import { homePrototypeOf } from '../read/home-realm.ts'
import { findForm } from './object-forms.ts'
import { integrityOf, type Property, propertiesOf } from './properties.ts'
import { refuseUnprintable } from './refusals.ts'
import { TAG } from '../tags.ts'
import type { ValueWriter } from './value-writer.ts'

/** Writes an object that is more than a plain record or a dense array. */
export function encodeObject(value: object, encoder: ValueWriter): void {
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
  if (isPlain && homePrototypeOf(value) === prototype) return form.write(value, encoder)
  encodeExtended(value, encoder, prototype, () => form.write(value, encoder), properties)
}

/** The function whose `prototype` an object is, so that it is written as such and never as data. */
function prototypeOwner(value: object): Function | undefined {
  const owner: unknown = Object.hasOwn(value, 'constructor') ? Reflect.get(value, 'constructor') : undefined
  return typeof owner === 'function' && owner.prototype === value ? owner : undefined
}

function encodePrototype(owner: Function, encoder: ValueWriter): void {
  encoder.writer.tag(TAG.prototypeOf)
  encoder.write(owner)
}

function encodeExtended(
  value: object,
  encoder: ValueWriter,
  plainPrototype: object | null,
  writeBase: () => void,
  properties: readonly Property[]
): void {
  const { writer } = encoder
  const prototype = homePrototypeOf(value)
  writer.tag(TAG.extended)
  writer.array(4)
  writeBase()
  encoder.write(prototype === plainPrototype || replacesClass(value, encoder) ? undefined : prototype)
  encoder.writeProperties(properties)
  writer.number(integrityOf(value))
}
