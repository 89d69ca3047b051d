import { createHash } from 'node:crypto'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BuildOptions, Plugin } from 'esbuild'
import { builtinModuleName } from './builtins.ts'
import { wasmModules } from './bundle-wasm.ts'
import { type BundleCache, hashFile, type StoredBundle } from './bundle-cache.ts'
import { memberKeys } from './bundle-members.ts'
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

/** A bundle, and the names in it in their order. */
interface Together {
  readonly hash: string
  readonly keys: readonly string[]
}

/**
 * Bundles packages for executors that have none of them: each bundle holds all that was wanted so far, tree-shaken, so that
 * what two functions import is one copy.
 */
export class Bundler {
  readonly #keep: (hash: string, bytes: Uint8Array) => void
  readonly #cache: BundleCache | undefined
  readonly #wanted = new Map<string, Wanted>()
  /** Of each name the bundle it is in, or was meant to be in. */
  readonly #together = new Map<string, Promise<Together>>()
  readonly #loaded = new Map<string, Promise<BundledName>>()
  readonly #members = new Map<string, readonly string[]>()
  readonly #encoder = new Encoder(PLAIN_DATA)

  constructor(keep: (hash: string, bytes: Uint8Array) => void, cache?: BundleCache) {
    this.#keep = keep
    this.#cache = cache
  }

  /**
   * A name that a file imports from a package. What else the file imports goes into the same bundle, so that functions
   * that use it later share one copy of everything; it is evaluated only if they do.
   */
  async importFrom(file: SourceFile, imported: ImportedName): Promise<BundledName> {
    const directory = directoryOf(file)
    const wanted = { ...imported, directory }
    const key = keyOf(wanted)
    let bundled = this.#together.get(key)
    if (bundled === undefined) {
      this.#wanted.set(key, wanted)
      const fellows = [...file.imports.values()].filter((each) => isFellow(each, file.url))
      const all = new Map([...this.#wanted, ...fellows.map((each) => keyed({ ...each, directory }))])
      bundled = this.#bundleTogether(all, new Map(this.#wanted))
      // Known from now on, not from when it is done: two functions that are printed at once share it.
      for (const each of all.keys()) if (!this.#together.has(each)) this.#together.set(each, bundled)
    }
    const { hash, keys } = await bundled.catch((error: unknown) => {
      this.#wanted.delete(key)
      throw error
    })
    const index = keys.indexOf(key)
    if (index >= 0) return { hash, name: exportName(index) }
    const alone = this.#bundleTogether(new Map([[key, wanted]]), new Map([[key, wanted]]))
    this.#together.set(key, alone)
    return { hash: (await alone).hash, name: exportName(0) }
  }

  /** When a fellow cannot be bundled (a native addon, say), that is no reason to refuse those who do not use it. */
  async #bundleTogether(
    all: ReadonlyMap<string, Wanted>,
    needed: ReadonlyMap<string, Wanted>
  ): Promise<Together> {
    try {
      return { hash: await this.#bundle([...all.values()]), keys: [...all.keys()] }
    } catch (error) {
      if (all.size === needed.size) throw error
      return { hash: await this.#bundle([...needed.values()]), keys: [...needed.keys()] }
    }
  }

  /** A module that a function loads when it runs. It gets a bundle of its own, so that it is not evaluated before. */
  async load(
    file: Pick<SourceFile, 'url'>,
    specifier: string,
    how: 'import' | 'require'
  ): Promise<BundledName> {
    const wanted = { specifier, directory: directoryOf(file), name: how === 'import' ? '*' : 'require' }
    const key = keyOf(wanted)
    const known = this.#loaded.get(key)
    if (known !== undefined) return known
    const bundled = this.#bundle([wanted]).then((hash) => ({ hash, name: exportName(0) }))
    this.#loaded.set(key, bundled)
    return bundled
  }

  /** What a name of a bundle is made of, as a hash: the same in every bundle that holds it. */
  memberKey(hash: string, name: string): string {
    const key = this.#members.get(hash)?.[Number(name.slice(1))]
    if (key === undefined)
      throw new RangeError(`expected a name of a bundle made here, got ${name} of ${hash}`)
    return key
  }

  async #bundle(wanted: readonly Wanted[]): Promise<string> {
    const { unit, members } = this.#cache?.find(wanted) ?? (await this.#build(wanted))
    const hash = hashUnit(unit)
    this.#keep(hash, unit)
    this.#members.set(hash, members)
    return hash
  }

  async #build(wanted: readonly Wanted[]): Promise<StoredBundle> {
    // Loaded here and not above: it takes longer to load than most programs take to print all they have.
    const { build } = await import('esbuild')
    const plugins = [loadWanted(wanted), wasmModules]
    const result = await build({ ...OPTIONS, stdin: entry(wanted), plugins }).catch(explainFailure)
    const source = result.outputFiles?.[0]?.text ?? ''
    const unit: BundleUnit = { kind: 'bundle', file: bundleFile(source), source }
    const graph = result.metafile?.inputs ?? {}
    const files = new Map<string, string>()
    for (const input of Object.keys(graph)) {
      if (input !== ENTRY_FILE && !input.startsWith(VIRTUAL)) files.set(input, hashInput(input))
    }
    const members = wanted.map((each, index) => ({
      input: `${VIRTUAL}${fileOf(each, index)}`,
      name: each.name
    }))
    const bundle = { unit: this.#encoder.encode(unit), members: memberKeys(members, graph, files) }
    try {
      this.#cache?.store(wanted, bundle, files)
    } catch {
      // A folder that cannot be written to costs time in the next run and nothing now.
    }
    return bundle
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

const ENTRY_FILE = 'dist-node-entry.cjs'

const VIRTUAL = 'dist-node-wanted:'

/** Each name is a getter, so that a module is evaluated when its first name is asked for, and not before. */
function entry(wanted: readonly Wanted[]): NonNullable<BuildOptions['stdin']> {
  const getters = wanted.map(({ name }, index) => {
    const module = `require(${JSON.stringify(`${VIRTUAL}${index}`)})`
    return `get ${exportName(index)}() { return ${name === 'require' ? module : `${module}.value`} }`
  })
  return {
    contents: `module.exports = { ${getters.join(', ')} }`,
    sourcefile: ENTRY_FILE,
    resolveDir: process.cwd()
  }
}

/** A small module for each wanted name, which stands in the folder of the file that imports it. */
function loadWanted(wanted: readonly Wanted[]): Plugin {
  return {
    name: 'wanted',
    setup(build) {
      build.onResolve({ filter: /^dist-node-wanted:/ }, ({ path }) => {
        const index = Number(path.slice(VIRTUAL.length))
        // The extension makes esbuild treat CommonJS modules as Node does when a module imports them.
        const found = wanted[index]
        return found && { path: fileOf(found, index), namespace: 'dist-node-wanted' }
      })
      build.onLoad({ filter: /./, namespace: 'dist-node-wanted' }, ({ path }) => {
        const found = wanted[Number.parseInt(path, 10)]
        return found === undefined
          ? undefined
          : { contents: wantedModule(found), resolveDir: found.directory }
      })
    }
  }
}

function fileOf({ name }: Wanted, index: number): string {
  return `${index}.${name === 'require' ? 'cjs' : 'mjs'}`
}

/** A module that esbuild put in place of a file, such as one left out for Node, has its name alone. */
function hashInput(input: string): string {
  try {
    return hashFile(input)
  } catch {
    return createHash('sha256').update(input).digest('hex')
  }
}

function wantedModule({ specifier, name }: Wanted): string {
  const from = JSON.stringify(specifier)
  if (name === 'require') return `module.exports = require(${from})`
  if (name === '*') return `export * as value from ${from}`
  return `export { ${JSON.stringify(name)} as value } from ${from}`
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

/** Whether something a file imports shares the bundle of its packages. This library is for the file, not for its jobs. */
function isFellow({ specifier }: ImportedName, url: string): boolean {
  return specifier !== 'dist-node' && isBundled(specifier, url)
}

function keyed(wanted: Wanted): [string, Wanted] {
  return [keyOf(wanted), wanted]
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
