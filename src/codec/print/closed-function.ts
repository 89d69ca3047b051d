import { integrityOf } from './properties.ts'
import { TAG } from '../tags.ts'
import type { ValueWriter } from './value-writer.ts'

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
