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

/** A file of the program by its URL. */
export type FindFile = (url: string) => SourceFile | undefined

/** What names mean at an offset of a file, as far as the file declares them. */
export function findBindings(
  file: SourceFile,
  offset: number,
  names: readonly string[],
  findFile: FindFile
): ReadonlyMap<string, Binding> {
  const found = names.map((name) => [name, findBinding(file, offset, name, findFile)] as const)
  return new Map(found.filter((each): each is [string, Binding] => each[1] !== undefined))
}

function findBinding(
  file: SourceFile,
  offset: number,
  name: string,
  findFile: FindFile
): Binding | undefined {
  if (offset === -1 || file.source.length > LARGEST_FILE) return undefined
  const variable = findVariable(file, offset, name)
  const [definition] = variable?.defs ?? []
  if (variable === undefined || definition === undefined) return undefined
  const imported = definition.type === 'ImportBinding' ? file.imports.get(name) : undefined
  if (imported !== undefined) {
    const declared = findDeclaration(imported, file.url, findFile)
    const [url, local] =
      declared === undefined
        ? [resolveImport(imported.specifier, file.url), imported.name]
        : [declared.file.url, declared.variable.name]
    return { key: `${url} ${local}`, isOnly: true }
  }
  if (variable.scope.type === 'module' || variable.scope.type === 'global') {
    return { key: `${file.url} ${name}`, isOnly: true }
  }
  return { key: `${file.url} ${definition.name.range?.[0]}`, isOnly: false }
}

/** Do all these names mean, at an offset of a file, variables that nothing changes once they have a value? */
export function areConstant(
  file: SourceFile,
  offset: number,
  names: readonly string[],
  findFile: FindFile
): boolean {
  if (offset === -1 || file.source.length > LARGEST_FILE) return false
  return names.every((name) => {
    const variable = findVariable(file, offset, name)
    if (variable?.defs[0]?.type !== 'ImportBinding') return variable !== undefined && isConstant(variable)
    const imported = file.imports.get(name)
    // An imported name may change whenever its module likes: only of a name found declared it is known that it does not.
    const declared = imported === undefined ? undefined : findDeclaration(imported, file.url, findFile)
    return declared !== undefined && isConstant(declared.variable)
  })
}

function isConstant({ defs, references }: Variable): boolean {
  if (defs.length !== 1 || defs[0]?.type === 'Parameter' || defs[0]?.type === 'ImportBinding') return false
  return references.every((reference) => !reference.isWrite() || reference.init === true)
}

interface Declaration {
  readonly file: SourceFile
  readonly variable: Variable
}

/** Follows an imported name to the module that declares it, through all that only pass it on. */
function findDeclaration(
  { specifier, name }: ImportedName,
  url: string,
  findFile: FindFile,
  seen: Set<string> = new Set()
): Declaration | undefined {
  const file = findFile(resolveImport(specifier, url))
  const place = `${file?.url} ${name}`
  if (file === undefined || seen.has(place) || file.source.length > LARGEST_FILE) return undefined
  seen.add(place)
  const local = file.exports.get(name) ?? name
  const passedOn = file.reexports.get(name) ?? (file.exports.has(name) ? file.imports.get(local) : undefined)
  if (passedOn !== undefined) return findDeclaration(passedOn, file.url, findFile, seen)
  const variable = scopesOf(file)
    .scopes.find(({ type }) => type === 'module')
    ?.set.get(local)
  if (variable !== undefined) return { file, variable }
  for (const each of file.allFrom) {
    const found = findDeclaration({ specifier: each, name }, file.url, findFile, seen)
    if (found !== undefined) return found
  }
  return undefined
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
