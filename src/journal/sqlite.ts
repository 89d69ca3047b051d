import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { JournalError } from './errors.ts'

/** How long one process waits for another that writes to the same file at this moment. */
const BUSY_TIMEOUT_MS = 5_000

/** Result codes of SQLite (https://sqlite.org/rescode.html); the lower byte is the kind. */
const SQLITE = { busy: 5, readOnly: 8, io: 10, corrupt: 11, full: 13, cannotOpen: 14, notADatabase: 26 }

const UNWRITABLE: ReadonlySet<number> = new Set([
  SQLITE.busy,
  SQLITE.readOnly,
  SQLITE.io,
  SQLITE.full,
  SQLITE.cannotOpen
])

let constructor: typeof DatabaseSync | undefined

/** Node 24 says of its SQLite, once per process, that it is experimental: that is our business and not the user's. */
function loadSqlite(): typeof DatabaseSync {
  if (constructor !== undefined) return constructor
  const emit = Reflect.get(process, 'emitWarning') as (...args: unknown[]) => void
  process.emitWarning = (...args: unknown[]) => {
    if (!String(args[0]).includes('SQLite')) Reflect.apply(emit, process, args)
  }
  try {
    constructor = process.getBuiltinModule('node:sqlite').DatabaseSync
  } finally {
    process.emitWarning = emit
  }
  return constructor
}

/** Opens a file that is there; nothing but {@link guarded} calls should touch what it returns. */
export function openDatabase(path: string, { readOnly = false } = {}): DatabaseSync {
  if (!existsSync(path)) throw new JournalError('JOURNAL_UNKNOWN_RUN', `${path}: no such file`)
  return guarded(path, () => new (loadSqlite())(path, { readOnly, timeout: BUSY_TIMEOUT_MS }))
}

/** Makes a file that only its owner can read. SQLite gives the rights of a file to the files it puts beside it. */
export function createDatabase(path: string): DatabaseSync {
  return guarded(path, () => {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    closeSync(openSync(path, 'a', 0o600))
    return new (loadSqlite())(path, { timeout: BUSY_TIMEOUT_MS })
  })
}

/** Calls `work`, and turns what SQLite or the file system throw into what the caller can act upon. */
export function guarded<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof JournalError) throw error
    const { code, errcode = 0, message } = error as { code?: string; errcode?: number; message: string }
    const kind = errcode & 0xff
    // Out of range is a number in the file that no dist-node wrote.
    if (code === 'ERR_OUT_OF_RANGE' || (code === 'ERR_SQLITE_ERROR' && !UNWRITABLE.has(kind))) {
      throw new JournalError('JOURNAL_DAMAGED', `${path} is damaged: ${message}`, { cause: error })
    }
    if (code === undefined) throw error
    throw new JournalError('JOURNAL_UNWRITABLE', `${path} cannot be used: ${message}`, { cause: error })
  }
}
