import type { ByteReader } from './byte-reader.ts'

/** Reads one value, part by part: what the readers of its parts know of the decoder. */
export interface ValueReader {
  readonly reader: ByteReader
  readonly functions: FunctionReader
  read(): unknown
  /** Gives the number that is waiting, if one is, to an object just made; to be called before its parts are read. */
  register<T>(object: T): T
  /** For an object whose parts have to be read before it can be made. */
  registerLater<T>(make: () => T): T
  /** Reads a value of one type. */
  readAs(type: 'string'): string
  readAs(type: 'number'): number
  readAs(type: 'object'): object
  readAs(type: 'function'): Function
  readBytes(): Uint8Array<ArrayBuffer>
  /** The count of an array that has to follow. */
  readCount(expected?: number): number
}

/** Makes what data alone cannot: called with the tag read, before its content. */
export interface FunctionReader {
  /** Reads the content of one of the tags of functions; refuses a tag it does not take. */
  readFunction(tag: number, decoder: ValueReader): unknown
  symbol(identity: number, description: string | undefined): symbol
  /** Called for each property that holds a function or accessor: throws for one that must not be. */
  checkProperty(key: string | symbol, isAccessor: boolean, decoder: ValueReader): void
  /** Called for each object that is about to be given properties, a prototype or an end to changes: throws for one that must not be. */
  checkChange(target: object, decoder: ValueReader): void
  /** The stack of an error as it is shown here. */
  mapStack(stack: string): string
}
