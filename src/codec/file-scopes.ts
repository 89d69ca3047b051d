import { analyze, type ScopeManager, type Variable } from 'eslint-scope'
import type { Program } from 'estree'
import { resolveLoosely } from './resolve-loosely.ts'
import { parseBody, type SourceFile } from './source-file.ts'

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
    const { specifier } = imported
    const url = resolveLoosely(specifier, file.url) ?? URL.parse(specifier, file.url)?.href ?? specifier
    return { key: `${url} ${imported.name}`, isOnly: true }
  }
  if (variable.scope.type === 'module' || variable.scope.type === 'global') {
    return { key: `${file.url} ${file.exports.get(name) ?? name}`, isOnly: true }
  }
  return { key: `${file.url} ${definition.name.range?.[0]}`, isOnly: false }
}

/** Do all these names mean, at an offset of a file, variables that nothing changes once they have a value? */
export function areConstant(file: SourceFile, offset: number, names: readonly string[]): boolean {
  if (offset === -1 || file.source.length > LARGEST_FILE) return false
  return names.every((name) => {
    const variable = findVariable(file, offset, name)
    if (variable === undefined || variable.defs.length !== 1) return false
    // An imported name may change whenever its module likes.
    if (variable.defs[0]?.type === 'ImportBinding' || variable.defs[0]?.type === 'Parameter') return false
    return variable.references.every((reference) => !reference.isWrite() || reference.init === true)
  })
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
