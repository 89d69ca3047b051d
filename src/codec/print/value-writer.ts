import type { ByteWriter } from './byte-writer.ts'
import type { Segment } from '../path.ts'
import type { Property } from './properties.ts'

/** Writes one value, part by part: what the writers of its parts know of the encoder. */
export interface ValueWriter {
  readonly writer: ByteWriter
  readonly functions: FunctionWriter
  /** From the root to the value being written; after a refusal, to the value at fault. */
  readonly path: Segment[]
  write(value: unknown): void
  /** Writes a part of a value, so that a refusal in it can say where it is. */
  writeAt(segment: Segment, value: unknown): void
  /** [key, flags, value, …] */
  writeProperties(properties: readonly Property[]): void
  /**
   * Takes note of an object about to be written. False when it was written before: then a reference to it was written
   * now, and there is nothing left to do.
   */
  announce(value: object): boolean
  /** Whether something written apart from its owner, as a view's buffer is, has other owners too. */
  isShared(value: object): boolean
}

/** What data alone does not tell: how functions and what belongs to them are written. */
export interface FunctionWriter {
  /** Writes a function, a class or a bound function, or refuses. */
  writeFunction(fn: Function, encoder: ValueWriter): void
  /** Writes something every Node has (`Math`, `Array.prototype`, a built-in module); false when it is nothing of that kind. */
  writeBuiltin(value: object, encoder: ValueWriter): boolean
  /** Writes an object of the runtime's own that travels in a way of its own; false when it is an ordinary object. */
  writeSpecial(value: object, encoder: ValueWriter): boolean
  /** Can a class be written? Errors of classes that cannot fall back to the built-in class they extend. */
  canWriteClass(constructor: Function): boolean
  /** Called for each property that holds a function or accessor: refuses one that would not be read. */
  checkProperty(key: string | symbol, isAccessor: boolean): void
  /** A number for a symbol of its own, the same for as long as the symbol lives. */
  identifySymbol(symbol: symbol): number
}
