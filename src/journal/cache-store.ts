/** Results by the name of their job, in one file for all runs: what was used least recently goes when it is full. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { existsSync, rmSync, statSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { JournalError } from './errors.ts'
import { createDatabase, guarded } from './sqlite.ts'

/** Raised with every change that older versions cannot read; a cache of another format is begun anew. */
const FORMAT = 1

const BESIDE = ['', '-wal', '-shm']

/** Room that is made when there is none, so that it is not made for every single result. */
const ROOM = 0.1

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA user_version = ${FORMAT};
  CREATE TABLE IF NOT EXISTS entries (
    key BLOB PRIMARY KEY, usedMs INTEGER NOT NULL, bytes INTEGER NOT NULL, sum INTEGER NOT NULL, body BLOB NOT NULL
  );
  CREATE INDEX IF NOT EXISTS byUse ON entries (usedMs, bytes);
`

export interface CacheEntry {
  /** 32 bytes. */
  readonly key: Uint8Array
  readonly body: Uint8Array
}

export class CacheStore {
  readonly #path: string
  readonly #database: DatabaseSync
  readonly #maxBytes: number
  readonly #get: StatementSync
  readonly #put: StatementSync
  readonly #touch: StatementSync

  private constructor(path: string, database: DatabaseSync, maxBytes: number) {
    this.#path = path
    this.#database = database
    this.#maxBytes = maxBytes
    this.#get = database.prepare('SELECT sum, body FROM entries WHERE key = ?')
    this.#put = database.prepare('INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?)')
    this.#touch = database.prepare('UPDATE entries SET usedMs = ? WHERE key = ?')
  }

  /**
   * Opens the cache, or makes it. One that is damaged is begun anew: it can be calculated again.
   *
   * @throws {JournalError} `JOURNAL_UNWRITABLE`
   */
  static open(path: string, maxBytes: number): CacheStore {
    try {
      return CacheStore.#open(path, maxBytes)
    } catch (error) {
      if (!(error instanceof JournalError) || error.code !== 'JOURNAL_DAMAGED') throw error
      removeCache(path)
      return CacheStore.#open(path, maxBytes)
    }
  }

  static #open(path: string, maxBytes: number): CacheStore {
    const database = createDatabase(path)
    try {
      return guarded(path, () => {
        const format = database.prepare('PRAGMA user_version').get()?.['user_version']
        if (format !== FORMAT && format !== 0)
          throw new JournalError('JOURNAL_DAMAGED', `${path}: another format`)
        database.exec(SCHEMA)
        database.exec('PRAGMA synchronous = NORMAL; PRAGMA cell_size_check = ON')
        return new CacheStore(path, database, maxBytes)
      })
    } catch (error) {
      database.close()
      throw error
    }
  }

  /** Undefined when it is not there, or not what was put there. */
  get(key: Uint8Array): Uint8Array | undefined {
    return guarded(this.#path, () => {
      const row = this.#get.get(key)
      const body = row?.['body']
      return body instanceof Uint8Array && row?.['sum'] === sum(key, body) ? body : undefined
    })
  }

  /**
   * Puts entries, says which others were used, and makes room if need be.
   *
   * @param used keys of entries that were taken
   */
  write(entries: readonly CacheEntry[], used: readonly Uint8Array[], nowMs: number): void {
    guarded(this.#path, () => {
      this.#database.exec('BEGIN IMMEDIATE')
      try {
        for (const key of used) this.#touch.run(nowMs, key)
        for (const { key, body } of entries) {
          this.#put.run(key, nowMs, key.length + body.length, sum(key, body), body)
        }
        this.#makeRoom()
        this.#database.exec('COMMIT')
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
        throw error
      }
    })
  }

  /** How many results, and how many bytes they are. */
  get size(): { entries: number; bytes: number } {
    return guarded(this.#path, () => {
      const row = this.#database
        .prepare('SELECT count(*) AS entries, total(bytes) AS bytes FROM entries')
        .get()
      return { entries: Number(row?.['entries']), bytes: Number(row?.['bytes']) }
    })
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close()
  }

  #makeRoom(): void {
    // An upper bound that costs nothing: only a file that large can hold that much.
    if (fileBytes(this.#path) < this.#maxBytes) return
    let tooMuch = this.size.bytes - this.#maxBytes
    if (tooMuch <= 0) return
    tooMuch += this.#maxBytes * ROOM
    const oldest = this.#database.prepare('SELECT rowid AS id, bytes FROM entries ORDER BY usedMs LIMIT 1000')
    const remove = this.#database.prepare('DELETE FROM entries WHERE rowid = ?')
    while (tooMuch > 0) {
      const rows = oldest.all()
      if (rows.length === 0) return
      for (const row of rows) {
        if (tooMuch <= 0) return
        remove.run(Number(row['id']))
        tooMuch -= Number(row['bytes'])
      }
    }
  }
}

/** Forgets everything. */
export function removeCache(path: string): void {
  for (const suffix of BESIDE) rmSync(path + suffix, { force: true })
}

export function hasCache(path: string): boolean {
  return existsSync(path)
}

function fileBytes(path: string): number {
  return BESIDE.slice(0, 2).reduce(
    (bytes, suffix) => bytes + (statSync(path + suffix, { throwIfNoEntry: false })?.size ?? 0),
    0
  )
}

function sum(key: Uint8Array, body: Uint8Array): number {
  return crc32(body, crc32(key))
}
