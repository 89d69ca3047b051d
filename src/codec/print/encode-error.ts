import { types } from 'node:util'
import { homePrototypeOf } from '../read/home-realm.ts'
import { errorClassOf } from '../read/intrinsic-errors.ts'
import { CONFIGURABLE, type Property, propertiesOf, WRITABLE } from './properties.ts'
import { TAG } from '../tags.ts'
import type { ValueWriter } from './value-writer.ts'

/** An error whose class cannot travel arrives as the built-in class it extends, under its own name. */
export function replacesClass(value: object, encoder: ValueWriter): boolean {
  return types.isNativeError(value) && !encoder.functions.canWriteClass(value.constructor)
}

export function encodeError(error: Error, { writer }: ValueWriter): void {
  writer.tag(TAG.error)
  writer.text(errorClassOf(error).name)
}

export function errorProperties(error: Error, encoder: ValueWriter): Property[] {
  const hidden = WRITABLE | CONFIGURABLE
  const properties = propertiesOf(error, (key) => key === 'stack')
  const { stack } = error
  if (typeof stack === 'string') properties.unshift({ key: 'stack', flags: hidden, value: stack })
  const isOfBuiltin = homePrototypeOf(error) === errorClassOf(error).prototype
  if (!isOfBuiltin && !Object.hasOwn(error, 'name') && !encoder.functions.canWriteClass(error.constructor)) {
    const name = error.name === errorClassOf(error).name ? error.constructor.name : error.name
    properties.push({ key: 'name', flags: hidden, value: name })
  }
  return properties
}

export function encodeDomException({ message, name, stack }: DOMException, encoder: ValueWriter): void {
  encoder.writer.tag(TAG.domException)
  encoder.writer.array(3)
  encoder.write(message)
  encoder.write(name)
  encoder.write(stack)
}
