import { analyze, type ScopeManager, type Variable } from 'eslint-scope'
import type { Program } from 'estree'
import { resolveLoosely } from '../load/resolve-loosely.ts'
import { type ImportedName, parseBody, type SourceFile } from './source-file.ts'

/** Files above this are bundles of others: finding every variable of one takes longer than it saves. */
const LARGEST_FILE = 500_000

const managers = new WeakMap<SourceFile, ScopeManager>()

/** The variable that a name means at an offset of a file. */
export interface Binding {
  /** The same for all names, in all files, that mean this variable. */
  readonly key: string
  /** There is only one of it: it is declared at the top of a module, and not in a function that may be called twice. */
  readonly isOnly: boolean
}

/** Undefined when the file does not declare it. */
export function findBinding(file: SourceFile, offset: number, name: string): Binding | undefined {
  if (offset === -1 || file.source.length > LARGEST_FILE) return undefined
  const variable = findVariable(file, offset, name)
  const [definition] = variable?.defs ?? []
  if (variable === undefined || definition === undefined) return undefined
  const imported = definition.type === 'ImportBinding' ? file.imports.get(name) : undefined
  if (imported !== undefined) {
    return { key: `${resolveImport(imported.specifier, file.url)} ${imported.name}`, isOnly: true }
  }
  if (variable.scope.type === 'module' || variable.scope.type === 'global') {
    return { key: `${file.url} ${file.exports.get(name) ?? name}`, isOnly: true }
  }
  return { key: `${file.url} ${definition.name.range?.[0]}`, isOnly: false }
}

/**
 * Do all these names mean, at an offset of a file, variables that nothing changes once they have a value?
 *
 * @param findFile a file of the program by its URL, for names that are imported from it
 */
export function areConstant(
  file: SourceFile,
  offset: number,
  names: readonly string[],
  findFile: (url: string) => SourceFile | undefined
): boolean {
  if (offset === -1 || file.source.length > LARGEST_FILE) return false
  return names.every((name) => {
    const variable = findVariable(file, offset, name)
    if (variable?.defs[0]?.type !== 'ImportBinding') return variable !== undefined && isConstant(variable)
    const imported = file.imports.get(name)
    return imported !== undefined && isConstantExport(imported, file.url, findFile)
  })
}

function isConstant({ defs, references }: Variable): boolean {
  if (defs.length !== 1 || defs[0]?.type === 'Parameter' || defs[0]?.type === 'ImportBinding') return false
  return references.every((reference) => !reference.isWrite() || reference.init === true)
}

/** An imported name may change whenever its module likes: only of a name declared there it is known that it does not. */
function isConstantExport(
  { specifier, name }: ImportedName,
  url: string,
  findFile: (url: string) => SourceFile | undefined
): boolean {
  const file = findFile(resolveImport(specifier, url))
  if (file === undefined || file.source.length > LARGEST_FILE) return false
  const [local] = [...file.exports].find(([, exported]) => exported === name) ?? [name]
  const variable = scopesOf(file)
    .scopes.find(({ type }) => type === 'module')
    ?.set.get(local)
  return variable !== undefined && isConstant(variable)
}

function resolveImport(specifier: string, url: string): string {
  return resolveLoosely(specifier, url) ?? URL.parse(specifier, url)?.href ?? specifier
}

function findVariable(file: SourceFile, offset: number, name: string): Variable | undefined {
  const around = scopesOf(file)
    .scopes.filter(({ block, set }) => set.has(name) && contains(block, offset))
    .toSorted((one, other) => (other.block.range?.[0] ?? 0) - (one.block.range?.[0] ?? 0))
  return around[0]?.set.get(name)
}

function scopesOf(file: SourceFile): ScopeManager {
  const known = managers.get(file)
  if (known !== undefined) return known
  const body = parseBody(file.source, file.isModule) ?? []
  const program = { type: 'Program', body, sourceType: 'module', range: [0, file.source.length] }
  const manager = analyze(program as unknown as Program, {
    ecmaVersion: 2022,
    sourceType: file.isModule ? 'module' : 'script'
  })
  managers.set(file, manager)
  return manager
}

function contains({ range }: { range?: [number, number] | undefined }, offset: number): boolean {
  return range !== undefined && range[0] <= offset && offset < range[1]
}
