import { createHash } from 'node:crypto'
import { Printer } from '../../src/codec/print/print.ts'

const printer = new Printer()

export type Blobs = Map<string, Uint8Array>

/** A function of no arguments, and the units it needs. */
export async function printJob(job: () => unknown): Promise<{ body: Uint8Array; blobs: Blobs }> {
  const { bytes, units } = await printer.print(job, 'job')
  return { body: bytes, blobs: unitsOf(units) }
}

/** A function that is printed once for many jobs: it travels as a blob too. */
export async function printHead(job: (argument: never) => unknown): Promise<{ head: string; blobs: Blobs }> {
  const { bytes, units } = await printer.print(job, 'job')
  const head = createHash('sha256').update(bytes).digest('hex')
  return { head, blobs: unitsOf(units).set(head, bytes) }
}

export async function printArguments(args: unknown[]): Promise<Uint8Array> {
  const { bytes } = await printer.print(args, 'arguments')
  return bytes
}

export function readValue(bytes: Uint8Array): unknown {
  return printer.readResult(bytes)
}

function unitsOf(units: readonly string[]): Blobs {
  return new Map(units.map((hash) => [hash, printer.unit(hash)]))
}
