import { types } from 'node:util'
import { refuse } from '../errors.ts'
import { hasMoreThanElements, type Property, propertiesOf } from './properties.ts'
import { refuseUnprintable } from './refusals.ts'
import { TAG } from '../tags.ts'
import type { ValueWriter } from './value-writer.ts'

/** Typed arrays are long: their keys are listed only when there is more than elements. */
export function viewProperties(view: NodeJS.TypedArray): Property[] {
  return hasMoreThanElements(view) ? propertiesOf(view, isIndex) : []
}

export const isIndex = (key: string | symbol): boolean => typeof key === 'string' && /^\d+$/.test(key)

/**
 * A view of a buffer of its own, or of a part of one, is its bytes. Only when its buffer has other owners in the same
 * value does the buffer travel, once.
 */
export function encodeView(
  view: NodeJS.ArrayBufferView,
  kind: string,
  tag: number | undefined,
  encoder: ValueWriter
): void {
  const { writer } = encoder
  const { buffer } = view
  if (types.isSharedArrayBuffer(buffer)) return refuseUnprintable(buffer)
  refuseDetached(buffer)
  const tracksLength = buffer.resizable && followsBuffer(view)
  // Small Buffers are cut from one pool of Node's, with whatever else is in it: they never share.
  if (kind === 'Buffer' || (!buffer.resizable && !encoder.isShared(buffer))) {
    if (tag !== undefined) writer.tag(tag)
    return writer.bytes(new Uint8Array(view.buffer, view.byteOffset, view.byteLength))
  }
  writer.tag(TAG.view)
  writer.array(4)
  writer.text(kind)
  encoder.write(buffer)
  writer.number(view.byteOffset)
  encoder.write(tracksLength ? undefined : view.byteLength)
}

/**
 * Whether a view of a resizable buffer has no length of its own. Nothing says so: the buffer of a copy is cut where the view
 * begins, which puts a view with a length out of bounds.
 */
function followsBuffer(view: NodeJS.ArrayBufferView): boolean {
  const copy = cloneInBounds(view)
  if (copy === undefined) {
    return refuse(
      'view out of bounds',
      'it views a part that its buffer no longer has',
      'send the buffer, or a view of what is left'
    )
  }
  const { buffer, byteOffset } = view
  if (view.byteLength === 0) return buffer.byteLength === byteOffset
  const cut = copy.buffer as ArrayBuffer
  cut.resize(byteOffset)
  return cloneInBounds(copy) !== undefined
}

/** Structured clone refuses a view that is out of the bounds of its buffer. */
function cloneInBounds(view: object): NodeJS.ArrayBufferView | undefined {
  try {
    return structuredClone(view) as NodeJS.ArrayBufferView
  } catch {
    return undefined
  }
}

function refuseDetached({ detached }: ArrayBuffer): void {
  if (!detached) return
  refuse(
    'detached ArrayBuffer',
    'its memory was transferred to another owner',
    'send it before it is transferred'
  )
}

export function encodeArrayBuffer(buffer: ArrayBuffer, { writer }: ValueWriter): void {
  refuseDetached(buffer)
  writer.tag(TAG.arrayBuffer)
  if (buffer.resizable) writer.array(2)
  writer.bytes(new Uint8Array(buffer))
  if (buffer.resizable) writer.number(buffer.maxByteLength)
}

export function typedArrayName(value: object): string {
  // Read from the prototype of all typed arrays, past what the object may say of itself.
  return String(Reflect.get(Object.getPrototypeOf(Uint8Array.prototype) as object, Symbol.toStringTag, value))
}
