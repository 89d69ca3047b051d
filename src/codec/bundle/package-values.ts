import { createRequire } from 'node:module'
import { type Bundler, type BundledName, isBundled } from './bundle.ts'
import type { Scope } from '../print/closure-inspector.ts'
import { Pending } from '../print/pending.ts'
import { namedParts } from '../read/modules.ts'
import type { ImportedName, SourceFile } from '../source/source-file.ts'

interface Source {
  readonly bundle: () => Promise<BundledName>
  /** From what the bundle exports to the value. */
  readonly members: readonly string[]
}

export interface PackageValue {
  readonly hash: string
  readonly path: readonly string[]
}

/**
 * Knows functions and classes of packages by identity, so that one met as a value, as the class of an instance is, becomes
 * the one in the bundle and not a second copy of it.
 */
export class PackageValues {
  readonly #bundler: Bundler
  readonly #sources = new Map<object, Source>()
  readonly #bundled = new Map<Source, PackageValue & { readonly generation: number }>()
  /** What this process has where a bundle exports something, by hash and names. */
  readonly #members = new Map<string, unknown>()
  readonly #files = new Set<SourceFile>()
  #requiredCount = 0

  constructor(bundler: Bundler) {
    this.#bundler = bundler
  }

  /** @throws {Pending} until it is bundled */
  find(value: object): PackageValue | undefined {
    const source = this.#sources.get(value)
    if (source === undefined) return undefined
    const bundled = this.#bundled.get(source)
    if (bundled?.generation === this.#bundler.generation) return bundled
    // oxlint-disable-next-line typescript/only-throw-error
    throw new Pending(async () => {
      const { hash, name } = await source.bundle()
      const { generation } = this.#bundler
      const path = [name, ...source.members]
      this.#bundled.set(source, { hash, path, generation })
      this.#members.set(memberId(hash, path), value)
    })
  }

  /** Takes note of what a bundle exports that stands for something imported here. */
  remember({ hash, name }: BundledName, scope: Scope, local: string): void {
    for (const [part, path] of namedParts(valueIn(scope, local), name)) {
      this.#members.set(memberId(hash, path), part)
    }
  }

  /** Takes note that something is in another bundle now. */
  move(from: BundledName, to: BundledName): void {
    for (const [part, path] of namedParts(this.member(from.hash, [from.name]), to.name)) {
      this.#members.set(memberId(to.hash, path), part)
    }
  }

  /** What this process itself has in place of what a bundle exports; undefined when nothing was noted. */
  member(hash: string, path: readonly string[]): unknown {
    return this.#members.get(memberId(hash, path))
  }

  /** Takes note of what a module imports from packages. */
  listImports(file: SourceFile, scopes: readonly Scope[]): void {
    if (this.#files.has(file)) return
    this.#files.add(file)
    const moduleScope = scopes.at(-1) ?? {}
    for (const [local, imported] of file.imports) {
      if (isBundled(imported.specifier, file.url))
        this.#listImport(valueIn(moduleScope, local), file, imported)
    }
  }

  /** Takes note of the packages that CommonJS modules have loaded. */
  listRequired(): void {
    const { cache } = createRequire(import.meta.url)
    const filenames = Object.keys(cache)
    if (filenames.length === this.#requiredCount) return
    this.#requiredCount = filenames.length
    for (const filename of filenames) {
      const exports: unknown = cache[filename]?.exports
      if (!filename.includes('/node_modules/') || exports === undefined) continue
      this.#list(exports, () => this.#bundler.load({ url: filename }, filename, 'require'))
    }
  }

  #listImport(value: unknown, file: SourceFile, imported: ImportedName): void {
    this.#list(value, () => this.#bundler.importFrom(file, imported))
  }

  #list(value: unknown, bundle: () => Promise<BundledName>): void {
    if (typeof value === 'function' || (typeof value === 'object' && value !== null))
      this.#add(value, { bundle, members: [] })
    if (typeof value !== 'object' || value === null) return
    for (const [name, member] of Object.entries(value)) {
      if (typeof member === 'function') this.#add(member, { bundle, members: [name] })
    }
  }

  #add(value: object, source: Source): void {
    if (!this.#sources.has(value)) this.#sources.set(value, source)
  }
}

function valueIn(scope: Scope, name: string): unknown {
  try {
    return scope[name]
  } catch {
    return undefined
  }
}

function memberId(hash: string, path: readonly string[]): string {
  return JSON.stringify([hash, ...path])
}
