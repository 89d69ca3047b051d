import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Printed, Printer } from '../../src/codec/print/print.ts'

/**
 * One folder of `test/fixtures/golden`: `input.mjs` (or `.cjs`), whose default export was printed and whose `check` says what is to be seen of it;
 * `packages`, what it imports; `printed.json`, the bytes as they were when the case was added.
 */
export interface GoldenCase {
  readonly name: string
  readonly printedFile: string
  /** Undefined until it is added. */
  readonly printed: GoldenPrint | undefined
  readonly load: () => Promise<GoldenInput>
}

export interface GoldenInput {
  readonly default: unknown
  readonly check: (value: unknown) => unknown
}

/** In hex. */
export interface GoldenPrint {
  readonly value: string
  readonly units: Readonly<Record<string, string>>
}

const FOLDER = fileURLToPath(new URL('../fixtures/golden/', import.meta.url))

export function listGoldenCases(): GoldenCase[] {
  return readdirSync(FOLDER).map((name) => {
    const printedFile = join(FOLDER, name, 'printed.json')
    const printed = existsSync(printedFile)
      ? (JSON.parse(readFileSync(printedFile, 'utf8')) as GoldenPrint)
      : undefined
    return { name, printedFile, printed, load: () => loadInput(name) }
  })
}

/** From a temporary folder: where it stands is part of what is printed. */
async function loadInput(name: string): Promise<GoldenInput> {
  const folder = join(tmpdir(), `dist-node-golden-${process.pid}`, name)
  const source = join(FOLDER, name)
  mkdirSync(folder, { recursive: true })
  cpSync(source, folder, { recursive: true })
  if (existsSync(join(source, 'packages'))) {
    cpSync(join(source, 'packages'), join(folder, 'node_modules'), { recursive: true })
  }
  const file = readdirSync(folder).find((each) => each.startsWith('input.')) ?? 'input.mjs'
  const module: unknown = await import(pathToFileURL(join(folder, file)).href)
  // What a CommonJS file exports is the default as a whole.
  return file.endsWith('.cjs') ? (module as { default: GoldenInput }).default : (module as GoldenInput)
}

export function removeGoldenFolder(): void {
  rmSync(join(tmpdir(), `dist-node-golden-${process.pid}`), { recursive: true, force: true })
}

export function toGoldenPrint({ bytes, units }: Printed, printer: Printer): GoldenPrint {
  const hex = (each: Uint8Array): string => Buffer.from(each).toString('hex')
  return {
    value: hex(bytes),
    units: Object.fromEntries(units.map((hash) => [hash, hex(printer.unit(hash))]))
  }
}
