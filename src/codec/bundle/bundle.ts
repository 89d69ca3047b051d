import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { builtinModuleName } from '../builtins.ts'
import { buildBundle, exportName, type Wanted } from './bundle-build.ts'
import type { BundleCache, StoredBundle } from './bundle-cache.ts'
import { findLoads, type Load } from '../source/file-loads.ts'
import { resolveLoosely } from '../load/resolve-loosely.ts'
import type { ImportedName, SourceFile } from '../source/source-file.ts'
import { hashUnit } from '../unit.ts'

export interface BundledName {
  readonly hash: string
  /** Under which the bundle exports it. */
  readonly name: string
}

/** A bundle, with all that it exports, in this order. */
interface Group {
  readonly wanted: ReadonlyMap<string, Wanted>
  readonly hash: string
  /** The files it is made of. */
  readonly inputs: ReadonlySet<string>
}

/**
 * Bundles packages for executors that have none of them, tree-shaken. What shares a module is in one bundle, so that there is
 * one copy of it: bundles that turn out to share one are replaced by a bundle of both.
 */
export class Bundler {
  readonly #keep: (hash: string, bytes: Uint8Array) => void
  readonly #cache: BundleCache | undefined
  /** Of each thing wanted, under its key, the bundle it is in now. */
  readonly #groups = new Map<string, Group>()
  #generation = 0
  /** Bundles are made one after another: each has to know what is in the others. */
  #queue: Promise<unknown> = Promise.resolve()
  readonly #members = new Map<string, readonly string[]>()

  constructor(keep: (hash: string, bytes: Uint8Array) => void, cache?: BundleCache) {
    this.#keep = keep
    this.#cache = cache
  }

  /** Grows whenever something moved to another bundle: names and hashes have to be asked for again. */
  get generation(): number {
    return this.#generation
  }

  /**
   * A name that a file imports from a package. What else the file imports goes into the same bundle, because functions are
   * likely to use it later; it is evaluated only if they do.
   */
  async importFrom(file: SourceFile, imported: ImportedName): Promise<BundledName> {
    const directory = directoryOf(file)
    return this.#find({ ...imported, directory }, fellowsOf(file))
  }

  /** A module that a function loads when it runs. */
  async load(
    file: Pick<SourceFile, 'url'>,
    specifier: string,
    how: 'import' | 'require'
  ): Promise<BundledName> {
    return this.#find(loaded({ specifier, how }, directoryOf(file)), [])
  }

  async #find(wanted: Wanted, fellows: readonly Wanted[]): Promise<BundledName> {
    const key = keyOf(wanted)
    if (!this.#groups.has(key)) {
      const added = this.#queue.then(() => this.#add(wanted, fellows))
      this.#queue = added.catch(() => {})
      await added
    }
    const { hash, wanted: all } = this.#groups.get(key) as Group
    return { hash, name: exportName([...all.keys()].indexOf(key)) }
  }

  async #add(wanted: Wanted, fellows: readonly Wanted[]): Promise<void> {
    if (this.#groups.has(keyOf(wanted))) return
    const group = await this.#bundleTogether(wanted, fellows)
    const others = [...new Set(this.#groups.values())].filter(
      ({ inputs }) => !inputs.isDisjointFrom(group.inputs)
    )
    if (others.length === 0) return this.#put(group)
    const all = new Map([...others, group].flatMap((each) => [...each.wanted]))
    this.#put(await this.#bundle(all))
    this.#generation++
  }

  #put(group: Group): void {
    for (const key of group.wanted.keys()) this.#groups.set(key, group)
  }

  /** When a fellow cannot be bundled (a native addon, say), that is no reason to refuse those who do not use it. */
  async #bundleTogether(wanted: Wanted, fellows: readonly Wanted[]): Promise<Group> {
    const alone = new Map([keyed(wanted)])
    const others = fellows.map(keyed).filter(([key]) => !this.#groups.has(key))
    try {
      return await this.#bundle(new Map([...alone, ...others]))
    } catch (error) {
      if (others.length === 0) throw error
      return await this.#bundle(alone)
    }
  }

  /** What a name of a bundle is made of, as a hash: the same in every bundle that holds it. */
  memberKey(hash: string, name: string): string {
    const key = this.#members.get(hash)?.[Number(name.slice(1))]
    if (key === undefined)
      throw new RangeError(`expected a name of a bundle made here, got ${name} of ${hash}`)
    return key
  }

  async #bundle(wanted: ReadonlyMap<string, Wanted>): Promise<Group> {
    const all = [...wanted.values()]
    const { unit, members, inputs } = this.#cache?.find(all) ?? (await this.#build(all))
    const hash = hashUnit(unit)
    this.#keep(hash, unit)
    this.#members.set(hash, members)
    return { wanted, hash, inputs: new Set(inputs) }
  }

  async #build(wanted: readonly Wanted[]): Promise<StoredBundle> {
    const bundle = await buildBundle(wanted)
    try {
      this.#cache?.store(wanted, bundle, bundle.hashes)
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

/** What a file imports and loads besides: whoever prints one function of it is likely to print others. */
function fellowsOf(file: SourceFile): Wanted[] {
  const directory = directoryOf(file)
  const imports = [...file.imports.values()].filter((each) => isFellow(each, file.url))
  const loads = findLoads(file).filter((each) => isFellow(each, file.url))
  return [...imports.map((each) => ({ ...each, directory })), ...loads.map((each) => loaded(each, directory))]
}

function loaded({ specifier, how }: Load, directory: string): Wanted {
  return { specifier, directory, name: how === 'import' ? '*' : 'require' }
}

/** Whether something a file imports shares the bundle of its packages. This library is for the file, not for its jobs. */
function isFellow({ specifier }: { readonly specifier: string }, url: string): boolean {
  return specifier !== 'dist-node' && isBundled(specifier, url)
}

function keyed(wanted: Wanted): [string, Wanted] {
  return [keyOf(wanted), wanted]
}

function keyOf({ specifier, directory, name }: Wanted): string {
  return JSON.stringify([specifier, directory, name])
}

function directoryOf({ url }: Pick<SourceFile, 'url'>): string {
  return dirname(url.startsWith('file:') ? fileURLToPath(url) : url)
}
