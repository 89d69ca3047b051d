import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** Changes whenever bundles of an earlier version must not be used any more. */
const VERSION = 1

interface Entry {
  /** SHA-256 of each file that went into the bundle, and of the package.json files that decided which. */
  readonly files: Readonly<Record<string, string>>
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

  /** The unit stored under a description of what was wanted; undefined when there is none or a file has changed. */
  find(description: unknown): Uint8Array | undefined {
    const path = this.#path(description)
    try {
      const { files } = JSON.parse(readFileSync(`${path}.json`, 'utf8')) as Entry
      const isCurrent = Object.entries(files).every(([file, hash]) => hashFile(file) === hash)
      return isCurrent ? new Uint8Array(readFileSync(`${path}.unit`)) : undefined
    } catch {
      // Not stored yet, removed, or cut short by a crash: it is bundled anew.
      return undefined
    }
  }

  store(description: unknown, unit: Uint8Array, inputs: readonly string[]): void {
    const files: Record<string, string> = {}
    for (const input of inputs) {
      const file = resolve(input)
      files[file] = hashFile(file)
      const packageFile = findPackageJSON(pathToFileURL(file))
      if (packageFile !== undefined) files[packageFile] ??= hashFile(packageFile)
    }
    const path = this.#path(description)
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 })
    this.#write(`${path}.unit`, unit)
    this.#write(`${path}.json`, JSON.stringify({ files } satisfies Entry))
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

function hashFile(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex')
}
