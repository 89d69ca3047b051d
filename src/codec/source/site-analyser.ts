import { analyseFunction, type FunctionAnalysis } from './analyse-function.ts'
import { builtinModuleName, isGlobalName } from '../builtins.ts'
import { type Bundler, isBundled } from '../bundle/bundle.ts'
import { capturedKeys } from '../print/class-keys.ts'
import type { Closure } from '../print/closure-inspector.ts'
import { describeNested } from './describe-nested.ts'
import { applyEdits } from './edit.ts'
import { Encoder } from '../print/encode.ts'
import { refuse } from '../errors.ts'
import { areConstant, findBindings } from './file-scopes.ts'
import { PLAIN_DATA } from '../print/plain-data.ts'
import type { PackageValues } from '../bundle/package-values.ts'
import { explainRewritten } from './rewritten.ts'
import type { ScriptSources } from './script-sources.ts'
import { hasVariable, type Site } from './site.ts'
import { findText, hasOuterThis, positionOf, readSourceFile, type SourceFile } from './source-file.ts'
import { type FunctionUnit, hashUnit, type Link, type LoadTarget } from '../unit.ts'

/** A function of the runtime itself, written in JavaScript: known by its kind, never sent. */
export interface ForeignSite {
  readonly foreign: true
}

/** Turns a site into its unit: parses the function, finds where each free name leads, bundles what it imports. */
export class SiteAnalyser {
  readonly #scripts: ScriptSources
  readonly #bundler: Bundler
  readonly #packages: PackageValues
  readonly #files = new Map<string, SourceFile>()
  readonly #keep: (hash: string, bytes: Uint8Array) => void
  readonly #encoder = new Encoder(PLAIN_DATA)

  constructor(
    scripts: ScriptSources,
    bundler: Bundler,
    packages: PackageValues,
    keep: (hash: string, bytes: Uint8Array) => void
  ) {
    this.#scripts = scripts
    this.#bundler = bundler
    this.#packages = packages
    this.#keep = keep
  }

  async analyse(fn: Function, text: string, closure: Closure): Promise<Site | ForeignSite> {
    const { location } = closure
    if (location === undefined) return { foreign: true }
    const file = this.#file(location.scriptId, closure.isModule)
    if (file.url.startsWith('node:')) return { foreign: true }
    explainRewritten(text)
    const isModule = closure.isModule || file.isModule
    if (isModule) this.#packages.listImports(file, closure.scopes)
    else this.#packages.listRequired()
    const start = findText(file, text, location.line, location.column)
    const isStrict = isModule || text.startsWith('class') || isStrictAt(file, start)
    const analysis = analyseFunction(text, isStrict)
    if (analysis.usesOuterThis && !(isModule && !hasOuterThis(file, start))) {
      refuse(
        'outer this',
        'an arrow function that uses the `this` of the code around it cannot take it along',
        'put what it needs into a variable, as in `const { size } = this`'
      )
    }
    const captured: string[] = []
    const unreadable: string[] = []
    const links: Record<string, Link> = {}
    for (const name of analysis.freeNames) {
      const link = await this.#link(name, file, closure, analysis)
      if (link !== undefined) links[name] = link
      else if (isCaptured(name, closure)) captured.push(name)
      else if (!isGlobalName(name)) unreadable.push(name)
    }
    Object.assign(links, await this.#syntaxLinks(analysis, file))
    const keys =
      analysis.class === undefined ? [] : capturedKeys(analysis.class.computedKeys, captured, unreadable)
    const position = start === -1 ? location : positionOf(file, start)
    const unit: FunctionUnit = {
      kind: 'function',
      form: analysis.form,
      file: file.url,
      line: position.line,
      column: position.column,
      strict: isStrict,
      name: fn.name,
      source: applyEdits(text, analysis.edits),
      captured: [...keys, ...captured.filter((name) => !keys.includes(name))],
      links,
      privateStatics: analysis.class?.privateStatics ?? [],
      ...(keys.length === 0 ? {} : { keys: keys.length }),
      ...(analysis.class?.parentName === undefined ? {} : { parentName: analysis.class.parentName }),
      ...describeNested(analysis.nested, captured, analysis.writes)
    }
    return this.#site(unit, analysis, { text, file, start })
  }

  isCurrent({ generation, hashes }: Site): boolean {
    return hashes.length === 1 || generation === this.#bundler.generation
  }

  /** The same site, after something it links to moved to another bundle. */
  async relink(site: Site): Promise<Site> {
    const links: Record<string, Link> = {}
    for (const [name, link] of Object.entries(site.unit.links))
      links[name] = await this.#relink(name, link, site.file)
    const unit = { ...site.unit, links }
    return { ...site, unit, ...this.#print(unit) }
  }

  async #relink(name: string, link: Link, file: SourceFile): Promise<Link> {
    if (link.kind === 'load') {
      return { ...link, targets: await this.#targets(Object.keys(link.targets), file, link.how) }
    }
    const imported = file.imports.get(name)
    if (link.kind !== 'bundle' || imported === undefined) return link
    const bundled = await this.#bundler.importFrom(file, imported)
    this.#packages.move(link, bundled)
    return { kind: 'bundle', ...bundled }
  }

  /** The same site, with variables that its closures share with others. */
  withCells(site: Site, cells: readonly string[]): Site {
    const unit = { ...site.unit, cells }
    return { ...site, unit, ...this.#print(unit) }
  }

  #print(unit: FunctionUnit): Pick<Site, 'hashBytes' | 'hashes' | 'generation'> {
    const bytes = this.#encoder.encode(unit)
    const hash = hashUnit(bytes)
    this.#keep(hash, bytes)
    return {
      hashBytes: Buffer.from(hash, 'hex'),
      hashes: [hash, ...bundlesOf(Object.values(unit.links))],
      generation: this.#bundler.generation
    }
  }

  #site(unit: FunctionUnit, analysis: FunctionAnalysis, place: Pick<Site, 'text' | 'file' | 'start'>): Site {
    const { file, start } = place
    const findFile = (url: string): SourceFile | undefined => this.#fileAt(url)
    const isConstant = unit.privateStatics.length === 0 && areConstant(file, start, unit.captured, findFile)
    return {
      unit,
      ...this.#print(unit),
      class: analysis.class,
      length: analysis.length,
      ...place,
      isConstant,
      variables: isConstant ? new Map() : findBindings(file, start, unit.captured, findFile),
      writes: unit.captured.filter((name) => analysis.writes.has(name)),
      membersOf: analysis.membersOf
    }
  }

  #fileAt(url: string): SourceFile | undefined {
    const scriptId = this.#scripts.idOf(url)
    return scriptId === undefined ? undefined : this.#file(scriptId, true)
  }

  #file(scriptId: string, isModule: boolean): SourceFile {
    const known = this.#files.get(scriptId)
    if (known !== undefined) return known
    const { url, source } = this.#scripts.get(scriptId)
    const file = readSourceFile(url, source, isModule)
    this.#files.set(scriptId, file)
    return file
  }

  /** Where an imported name leads; undefined when its value is to be captured. */
  async #link(
    name: string,
    file: SourceFile,
    closure: Closure,
    analysis: FunctionAnalysis
  ): Promise<Link | undefined> {
    if (
      name === 'require' &&
      !closure.isModule &&
      analysis.loads.length >= 0 &&
      hasVariable(closure.scopes, name)
    ) {
      return { kind: 'load', how: 'require', targets: await this.#targets(analysis.loads, file, 'require') }
    }
    const imported = file.imports.get(name)
    if (imported === undefined || hasVariable(closure.scopes.slice(0, -1), name)) return undefined
    const module = builtinModuleName(imported.specifier)
    if (module !== undefined) return { kind: 'builtin', module, name: imported.name }
    if (!isBundled(imported.specifier, file.url)) return undefined
    const bundled = await this.#bundler.importFrom(file, imported)
    this.#packages.remember(bundled, closure.scopes.at(-1) ?? {}, name)
    return { kind: 'bundle', ...bundled }
  }

  async #syntaxLinks(analysis: FunctionAnalysis, file: SourceFile): Promise<Record<string, Link>> {
    const links: Record<string, Link> = {}
    for (const { text } of analysis.edits) {
      if (text === '$importMeta') links['$importMeta'] = { kind: 'meta', url: file.url }
      if (text === '$load_') {
        links['$load_'] = {
          kind: 'load',
          how: 'import',
          targets: await this.#targets(analysis.loads, file, 'import')
        }
      }
    }
    return links
  }

  async #targets(
    specifiers: readonly string[],
    file: SourceFile,
    how: 'import' | 'require'
  ): Promise<Record<string, LoadTarget>> {
    const targets: Record<string, LoadTarget> = {}
    for (const specifier of specifiers) {
      const module = builtinModuleName(specifier)
      targets[specifier] =
        module === undefined
          ? { kind: 'bundle', ...(await this.#bundler.load(file, specifier, how)) }
          : { kind: 'builtin', module }
    }
    return targets
  }
}

function isCaptured(name: string, { scopes }: Closure): boolean {
  if (hasVariable(scopes, name)) return true
  // A global that the program itself made.
  return !isGlobalName(name) && Object.hasOwn(globalThis, name)
}

function bundlesOf(links: readonly Link[]): string[] {
  const hashes = links.flatMap((link): string[] => {
    if (link.kind === 'bundle') return [link.hash]
    if (link.kind !== 'load') return []
    return Object.values(link.targets).flatMap((target) => (target.kind === 'bundle' ? [target.hash] : []))
  })
  return [...new Set(hashes)]
}

function isStrictAt(file: SourceFile, offset: number): boolean {
  return file.strictRanges.some(([start, end]) => offset >= start && offset < end)
}

export function isForeign(site: Site | ForeignSite): site is ForeignSite {
  return 'foreign' in site
}
