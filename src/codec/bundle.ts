import { createHash } from 'node:crypto'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BuildOptions, Plugin } from 'esbuild'
import { builtinModuleName } from './builtins.ts'
import { wasmModules } from './bundle-wasm.ts'
import type { BundleCache } from './bundle-cache.ts'
import { Encoder } from './encode.ts'
import { refuse } from './errors.ts'
import { PLAIN_DATA } from './plain-data.ts'
import { resolveLoosely } from './resolve-loosely.ts'
import type { ImportedName, SourceFile } from './source-file.ts'
import { type BundleUnit, hashUnit } from './unit.ts'

/** One thing a bundle has to export. */
interface Wanted {
  readonly specifier: string
  readonly directory: string
  readonly name: string
}

export interface BundledName {
  readonly hash: string
  /** Under which the bundle exports it. */
  readonly name: string
}

/**
 * Bundles packages for executors that have none of them: each bundle holds all that was wanted so far, tree-shaken, so that
 * what two functions import is one copy.
 */
export class Bundler {
  readonly #keep: (hash: string, bytes: Uint8Array) => void
  readonly #cache: BundleCache | undefined
  readonly #wanted = new Map<string, Wanted>()
  readonly #names = new Map<string, Promise<BundledName>>()
  readonly #encoder = new Encoder(PLAIN_DATA)

  constructor(keep: (hash: string, bytes: Uint8Array) => void, cache?: BundleCache) {
    this.#keep = keep
    this.#cache = cache
  }

  /** A name that a file imports from a package. */
  async importFrom(file: SourceFile, imported: ImportedName): Promise<BundledName> {
    const wanted = [...file.imports.values()].filter(({ specifier }) => isBundled(specifier, file.url))
    const directory = directoryOf(file)
    for (const each of wanted) this.#want({ ...each, directory })
    const key = keyOf({ ...imported, directory })
    const known = this.#names.get(key)
    if (known !== undefined) return known
    const bundled = this.#bundleWanted()
    for (const [each, index] of [...this.#wanted.keys()].map((each, index) => [each, index] as const)) {
      if (!this.#names.has(each))
        this.#names.set(
          each,
          bundled.then((hash) => ({ hash, name: exportName(index) }))
        )
    }
    return (
      this.#names.get(key) ??
      refuse('module', `${imported.specifier} was not bundled`, 'import it in the file of the function')
    )
  }

  /** A module that a function loads when it runs. It gets a bundle of its own, so that it is not evaluated before. */
  async load(
    file: Pick<SourceFile, 'url'>,
    specifier: string,
    how: 'import' | 'require'
  ): Promise<BundledName> {
    const wanted = { specifier, directory: directoryOf(file), name: how === 'import' ? '*' : 'require' }
    const key = keyOf(wanted)
    const known = this.#names.get(key)
    if (known !== undefined) return known
    const bundled = this.#bundle([wanted]).then((hash) => ({ hash, name: exportName(0) }))
    this.#names.set(key, bundled)
    return bundled
  }

  #want(wanted: Wanted): void {
    const key = keyOf(wanted)
    if (!this.#wanted.has(key)) this.#wanted.set(key, wanted)
  }

  #bundleWanted(): Promise<string> {
    return this.#bundle([...this.#wanted.values()])
  }

  async #bundle(wanted: readonly Wanted[]): Promise<string> {
    const cached = this.#cache?.find(wanted)
    const bytes = cached ?? (await this.#build(wanted))
    const hash = hashUnit(bytes)
    this.#keep(hash, bytes)
    return hash
  }

  async #build(wanted: readonly Wanted[]): Promise<Uint8Array> {
    // Loaded here and not above: it takes longer to load than most programs take to print all they have.
    const { build } = await import('esbuild')
    const plugins = [resolveWanted(wanted), wasmModules]
    const result = await build({ ...OPTIONS, stdin: entry(wanted), plugins }).catch(explainFailure)
    const source = result.outputFiles?.[0]?.text ?? ''
    const unit: BundleUnit = { kind: 'bundle', file: bundleFile(source), source }
    const bytes = this.#encoder.encode(unit)
    const inputs = Object.keys(result.metafile?.inputs ?? {}).filter((input) => input !== ENTRY_FILE)
    try {
      this.#cache?.store(wanted, bytes, inputs)
    } catch {
      // A folder that cannot be written to costs time in the next run and nothing now.
    }
    return bytes
  }
}

/**
 * Whether an imported module is bundled: packages are, and WebAssembly. What is left are the program's own modules, which
 * travel by the values that functions use of them.
 */
export function isBundled(specifier: string, url: string): boolean {
  if (builtinModuleName(specifier) !== undefined) return false
  if (specifier.endsWith('.wasm')) return true
  return !/^(?:\.{0,2}\/|file:|data:)/.test(specifier) && resolveLoosely(specifier, url) === undefined
}

const OPTIONS: BuildOptions = {
  bundle: true,
  metafile: true,
  write: false,
  format: 'cjs',
  platform: 'node',
  target: 'node24',
  // As Node resolves: without esbuild's own `module` condition and field.
  conditions: [],
  mainFields: ['main'],
  legalComments: 'none',
  charset: 'utf8',
  logLevel: 'silent',
  define: { 'import.meta.url': '__importMetaUrl', 'import.meta.dirname': '__importMetaDirname' },
  banner: { js: 'const __importMetaUrl = "file:///bundle.cjs", __importMetaDirname = "/";' }
}

/** Its extension makes esbuild treat CommonJS modules as Node does when a module imports them. */
const ENTRY_FILE = 'dist-node-entry.mjs'

const VIRTUAL = 'dist-node-wanted:'

function entry(wanted: readonly Wanted[]): NonNullable<BuildOptions['stdin']> {
  const lines = wanted.map(({ name }, index) => {
    const from = JSON.stringify(`${VIRTUAL}${index}`)
    if (name === 'require') return `export const ${exportName(index)} = require(${from})`
    if (name === '*') return `export * as ${exportName(index)} from ${from}`
    return `export { ${JSON.stringify(name)} as ${exportName(index)} } from ${from}`
  })
  return { contents: lines.join('\n'), sourcefile: ENTRY_FILE, resolveDir: process.cwd() }
}

/** Resolves each wanted module from the folder of the file that imports it. */
function resolveWanted(wanted: readonly Wanted[]): Plugin {
  return {
    name: 'wanted',
    setup(build) {
      build.onResolve({ filter: /^dist-node-wanted:/ }, ({ path, kind }) => {
        const found = wanted[Number(path.slice(VIRTUAL.length))]
        if (found === undefined) return undefined
        return build.resolve(found.specifier, { resolveDir: found.directory, kind })
      })
    }
  }
}

function explainFailure(error: unknown): never {
  const [first] =
    (error as { errors?: { text: string; location?: { file: string; line: number } | null }[] }).errors ?? []
  const text = first === undefined ? String(error) : first.text
  const where = first?.location ? ` (${first.location.file}:${first.location.line})` : ''
  if (/No loader is configured for "\.node"/.test(text)) {
    return refuse(
      'native addon',
      `a native addon runs only where it was built${where}`,
      'use a package without native code'
    )
  }
  return refuse(
    'module',
    `a module it imports cannot be bundled: ${text}${where}`,
    'check that it is installed and loads'
  )
}

function exportName(index: number): string {
  return `e${index}`
}

function keyOf({ specifier, directory, name }: Wanted): string {
  return JSON.stringify([specifier, directory, name])
}

function directoryOf({ url }: Pick<SourceFile, 'url'>): string {
  return dirname(url.startsWith('file:') ? fileURLToPath(url) : url)
}

function bundleFile(source: string): string {
  return `bundle-${createHash('sha256').update(source).digest('hex').slice(0, 8)}.cjs`
}
