import type { DatabaseSync } from 'node:sqlite'
import { rmSync } from 'node:fs'
import { createDatabase, guarded, openDatabase } from './sqlite.ts'
import { JournalError } from './errors.ts'

/** Says that a process works on something, for as long as it lives: the system forgets the lock with the process. */
export class Claim {
  readonly path: string
  readonly #database: DatabaseSync

  private constructor(path: string, database: DatabaseSync) {
    this.path = path
    this.#database = database
  }

  /** @returns undefined when another process, or this one, has it already */
  static take(path: string): Claim | undefined {
    const database = createDatabase(path)
    if (lock(path, database)) return new Claim(path, database)
    database.close()
    return undefined
  }

  /** Whether somebody has it now. */
  static isTaken(path: string): boolean {
    let database: DatabaseSync | undefined
    try {
      database = openDatabase(path)
      return !lock(path, database)
    } catch (error) {
      if (error instanceof JournalError) return false
      throw error
    } finally {
      database?.close()
    }
  }

  /** @param options.remove whether nobody will need the file again */
  release({ remove = false } = {}): void {
    if (remove) rmSync(this.path, { force: true })
    if (this.#database.isOpen) this.#database.close()
  }
}

/** SQLite is the portable way to the locks of the operating system: this one never holds a byte. */
function lock(path: string, database: DatabaseSync): boolean {
  return guarded(path, () => {
    try {
      database.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE')
      return true
    } catch (error) {
      if ((error as { errcode?: number }).errcode === 5) return false
      throw error
    }
  })
}
