import type { BuiltinPath } from '../builtins.ts'
import type { ConstructorParts } from './constructor-parts.ts'
import { integrityOf } from './properties.ts'
import type { BoundParts } from '../read/read.ts'
import { TAG } from '../tags.ts'
import type { ValueWriter } from './value-writer.ts'

/** Something every Node has, by the names that lead to it. */
export function writeBuiltinPath(path: BuiltinPath, { writer }: ValueWriter): void {
  writer.tag(TAG.builtin)
  writer.array(path.length)
  for (const name of path) writer.text(name)
}

/** Something a bundle exports, by the names that lead to it. */
export function writeMember(hash: string, path: readonly string[], { writer }: ValueWriter): void {
  writer.tag(TAG.bundled)
  writer.array(1 + path.length)
  writer.bytes(Buffer.from(hash, 'hex'))
  for (const name of path) writer.text(name)
}

export function writeBound({ target, boundThis, args }: BoundParts, encoder: ValueWriter): void {
  encoder.writer.tag(TAG.bound)
  encoder.writer.array(3)
  encoder.writeAt({ captured: 'bound function' }, target)
  encoder.writeAt({ captured: 'this' }, boundThis)
  encoder.write(args)
}

/** A variable is written where it is met first, and named again by the others who use it. */
export function writeCell(cell: object | undefined, value: unknown, encoder: ValueWriter): void {
  if (cell === undefined || !encoder.announce(cell)) return
  encoder.writer.tag(TAG.cell)
  encoder.write(value)
}

/** What a function has beyond its text and captured values. */
export function writeConstructorParts(parts: ConstructorParts, encoder: ValueWriter): void {
  encoder.writeAt({ captured: 'extends' }, parts.parent)
  encoder.write(parts.prototypeParent)
  encoder.writeProperties(parts.prototypeProperties)
  encoder.writeProperties(parts.properties)
}

/** Writes a function, which may be frozen, sealed or closed to additions. */
export function writeClosed(fn: Function, encoder: ValueWriter, write: () => void): void {
  const integrity = integrityOf(fn)
  if (integrity === 0) return write()
  encoder.writer.tag(TAG.extended)
  encoder.writer.array(4)
  write()
  encoder.write(undefined)
  encoder.writeProperties([])
  encoder.writer.number(integrity)
}
