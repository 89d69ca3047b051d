import { join } from 'node:path'
import type { Printer } from '../../codec/print/print.ts'
import { hasCache, CacheStore, removeCache } from '../../journal/cache-store.ts'
import { CacheMemory } from './cache-memory.ts'
import { CombinedMemory } from './combined-memory.ts'
import { stateFolder } from '../identity.ts'
import { JobNames } from '../run/job-names.ts'
import type { Journal, Resumption } from './journal.ts'
import type { ResolvedRunOptions } from '../options.ts'
import type { RunMemory } from './run-memory.ts'
import type { TaskSource } from '../run/task-source.ts'

/** What the cache may hold. */
export const CACHE_QUOTA_BYTES = 1024 ** 3

interface MemoryParts {
  readonly printer: Printer
  readonly journal: Journal
  /** The state folder. */
  readonly folder: string
  readonly onWarning: (message: string) => void
}

/** Gives each run the memory it asks for. */
export class Memories {
  readonly #parts: MemoryParts

  constructor(parts: MemoryParts) {
    this.#parts = parts
  }

  /**
   * @param resumption the run to go on with
   * @returns what opens it when the run starts; undefined for a run without
   */
  of(
    source: TaskSource,
    options: ResolvedRunOptions,
    resumption: Resumption | undefined
  ): (() => RunMemory) | undefined {
    const hasJournal = options.journal !== false || resumption !== undefined
    if (!hasJournal && !options.cache) return undefined
    return () => {
      const names = new JobNames(this.#parts.printer, source)
      if (!hasJournal) return this.#cache(names)
      const journal = this.#journal(source, names, options, resumption)
      return options.cache ? new CombinedMemory(journal, this.#cache(names)) : journal
    }
  }

  #journal(
    source: TaskSource,
    names: JobNames,
    { journal, label }: ResolvedRunOptions,
    resumption: Resumption | undefined
  ): RunMemory {
    const about = typeof journal === 'object' ? journal : {}
    const { onWarning } = this.#parts
    return this.#parts.journal.recorder({ source, names, label, about, resumption, onWarning })
  }

  #cache(names: JobNames): RunMemory {
    const { folder, onWarning } = this.#parts
    return new CacheMemory({ names, path: cacheFile(folder), maxBytes: CACHE_QUOTA_BYTES, onWarning })
  }
}

/** What the cache holds. */
export interface CacheInfo {
  /** Where it is. */
  readonly path: string
  /** Results in it. */
  readonly entries: number
  /** Bytes of them. */
  readonly bytes: number
  /** Bytes it may hold; beyond, what was used least recently goes. */
  readonly quotaBytes: number
}

/**
 * What the cache of a state folder holds: results of pure jobs, which runs with the option `cache` use again.
 *
 * @param dir the state folder, as in {@link NodeOptions}; default: `DIST_NODE_DIR`, else the user's XDG state folder
 * @throws {JournalError} `JOURNAL_UNWRITABLE` when it cannot be opened
 * @example console.log(cacheInfo().entries)
 */
export function cacheInfo(dir?: string): CacheInfo {
  const path = cacheFile(stateFolder(dir))
  const quotaBytes = CACHE_QUOTA_BYTES
  if (!hasCache(path)) return { path, entries: 0, bytes: 0, quotaBytes }
  const store = CacheStore.open(path, quotaBytes)
  try {
    return { path, ...store.size, quotaBytes }
  } finally {
    store.close()
  }
}

/**
 * Forgets all results in the cache.
 *
 * @param dir the state folder, as in {@link cacheInfo}
 * @example clearCache()
 */
export function clearCache(dir?: string): void {
  removeCache(cacheFile(stateFolder(dir)))
}

function cacheFile(folder: string): string {
  return join(folder, 'cache.sqlite')
}
