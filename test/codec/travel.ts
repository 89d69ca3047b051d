import { Printer } from '../../src/codec/print/print.ts'
import { Reader } from '../../src/codec/read/read.ts'

const sharedPrinter = new Printer()

/** Prints a value and reads it back with a reader that knows nothing of the printer, as a worker process does. */
export async function travel<T>(value: T, printer = sharedPrinter, reader = new Reader()): Promise<T> {
  const { bytes, units } = await printer.print(value, 'value')
  for (const hash of units) reader.addUnit(hash, printer.unit(hash))
  return reader.read(bytes) as T
}
