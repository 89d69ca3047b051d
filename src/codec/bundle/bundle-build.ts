import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import type { BuildOptions, Plugin } from 'esbuild'
import { hashFile, type StoredBundle } from './bundle-cache.ts'
import { memberKeys } from './bundle-members.ts'
import { wasmModules } from './bundle-wasm.ts'
import { Encoder } from '../print/encode.ts'
import { refuse } from '../errors.ts'
import { PLAIN_DATA } from '../print/plain-data.ts'
import type { BundleUnit } from '../unit.ts'

/** One thing a bundle has to export. */
export interface Wanted {
  readonly specifier: string
  readonly directory: string
  readonly name: string
}

export interface BuiltBundle extends StoredBundle {
  /** SHA-256 of each file that went into it. */
  readonly hashes: ReadonlyMap<string, string>
}

/** Bundles what is wanted into a module of CommonJS that exports each thing under a name of its own: see {@link exportName}. */
export async function buildBundle(wanted: readonly Wanted[]): Promise<BuiltBundle> {
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
  const bundle = {
    unit: new Encoder(PLAIN_DATA).encode(unit),
    members: memberKeys(members, graph, files),
    inputs: [...files.keys()].map((input) => resolve(input))
  }
  return { ...bundle, hashes: files }
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

/** Under which name a bundle exports the n-th thing wanted. */
export function exportName(index: number): string {
  return `e${index}`
}

function bundleFile(source: string): string {
  return `bundle-${createHash('sha256').update(source).digest('hex').slice(0, 8)}.cjs`
}
