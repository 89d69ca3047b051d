import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** Changes whenever bundles of an earlier version must not be used any more. */
const VERSION = 3

interface Entry {
  /** SHA-256 of each file that went into the bundle, and of the package.json files that decided which. */
  readonly files: Readonly<Record<string, string>>
  readonly members: readonly string[]
  readonly inputs: readonly string[]
}

/** A bundle as it is kept. */
export interface StoredBundle {
  readonly unit: Uint8Array
  /** What each of the wanted things is made of: see {@link memberKeys}. */
  readonly members: readonly string[]
  /** Paths of the files that went into it. */
  readonly inputs: readonly string[]
}

/**
 * Keeps bundles between runs, so that a second run of a program starts at once. An entry counts only while every file it was
 * made of still has the same content.
 */
export class BundleCache {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  /** What is stored under a description of what was wanted; undefined when there is nothing or a file has changed. */
  find(description: unknown): StoredBundle | undefined {
    const path = this.#path(description)
    try {
      const { files, members, inputs } = JSON.parse(readFileSync(`${path}.json`, 'utf8')) as Entry
      const isCurrent = Object.entries(files).every(([file, hash]) => hashFile(file) === hash)
      return isCurrent ? { unit: new Uint8Array(readFileSync(`${path}.unit`)), members, inputs } : undefined
    } catch {
      // Not stored yet, removed, or cut short by a crash: it is bundled anew.
      return undefined
    }
  }

  /** @param hashes each file that went into the bundle, and its SHA-256 */
  store(
    description: unknown,
    { unit, members, inputs }: StoredBundle,
    hashes: ReadonlyMap<string, string>
  ): void {
    const files: Record<string, string> = {}
    for (const [input, hash] of hashes) {
      const file = resolve(input)
      files[file] = hash
      const packageFile = findPackageJSON(pathToFileURL(file))
      if (packageFile !== undefined) files[packageFile] ??= hashFile(packageFile)
    }
    const path = this.#path(description)
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 })
    this.#write(`${path}.unit`, unit)
    this.#write(`${path}.json`, JSON.stringify({ files, members, inputs } satisfies Entry))
  }

  /** Other processes may read at the same time: a file is there whole or not at all. */
  #write(path: string, content: Uint8Array | string): void {
    const temporary = `${path}.${process.pid}`
    writeFileSync(temporary, content, { mode: 0o600 })
    renameSync(temporary, path)
  }

  #path(description: unknown): string {
    const key = createHash('sha256')
      .update(JSON.stringify([VERSION, process.version, description]))
      .digest('hex')
    return join(this.#directory, key)
  }
}

/** @returns lower-case hex SHA-256 of its content */
export function hashFile(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex')
}
