/**
 * Everything that is remembered of one run, in one SQLite file: pruning is deleting it, damage stays in it, and runs
 * do not wait for one another. Every row has a checksum of its own, for SQLite has none: what is read is what was
 * written, or it is not there.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { JournalError } from './errors.ts'
import { readTasks, type StoredTask, writeTasks } from './task-segment.ts'
import { createDatabase, guarded, openDatabase } from './sqlite.ts'

/** Raised with every change that older versions cannot read. */
const FORMAT = 1

/** Pages of the write-ahead log after which they are moved into the file, which waits for the disk: 16 MiB. */
const CHECKPOINT_PAGES = 4_096

/** More segments than this cannot be missing between others: the numbers are damaged then. */
const MAX_LOST_SEGMENTS = 1_000

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA user_version = ${FORMAT};
  CREATE TABLE IF NOT EXISTS parts (name TEXT PRIMARY KEY, sum INTEGER NOT NULL, body BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS outcomes (number INTEGER PRIMARY KEY, sum INTEGER NOT NULL, body BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS tasks (number INTEGER PRIMARY KEY, sum INTEGER NOT NULL, body BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS blobs (hash TEXT PRIMARY KEY, body BLOB NOT NULL);
`

type SegmentTable = 'outcomes' | 'tasks'

/** What is known of a run from its beginning. */
export interface RunInfo {
  /** 16 bytes in hexadecimal. */
  readonly id: string
  /** `held`: its jobs are stored too, so that any process can go on with it. */
  readonly kind: 'run' | 'held'
  readonly label: string
  /** Milliseconds since 1970. */
  readonly startedMs: number
  /** The jobs file, as an absolute path, and the arguments it got. */
  readonly file?: string
  readonly args?: readonly string[]
}

/**
 * - `open`: being run, or the process that ran it is gone.
 * - `interrupted`: ended before its last job, for a reason that may pass: Ctrl-C, no peers.
 * - `failed`: ended by an error, of the input for example.
 * - `cancelled`: ended early because somebody wanted that.
 * - `finished`: every job has its result, good or bad.
 */
export type RunStage = 'open' | 'interrupted' | 'failed' | 'cancelled' | 'finished'

/** How far a run has come. */
export interface RunStatus {
  readonly stage: RunStage
  readonly succeeded: number
  readonly failed: number
  /** Number of all jobs, where it is known. */
  readonly total?: number
  /** Time it was being run, over all the processes that did. */
  readonly activeMs: number
  /** Milliseconds since 1970, of the last write. */
  readonly updatedMs: number
}

export class RunStore {
  readonly path: string
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  #isInTransaction = false

  private constructor(path: string, database: DatabaseSync) {
    this.path = path
    this.#database = database
  }

  /** @throws {JournalError} `JOURNAL_UNWRITABLE` */
  static create(path: string, info: RunInfo): RunStore {
    const store = new RunStore(path, createDatabase(path))
    return store.#closedIfFails(() => {
      // There is nothing to lose yet; the first checkpoint brings this to the disk too.
      store.#database.exec('PRAGMA synchronous = OFF')
      store.#database.exec(SCHEMA)
      store.#prepareToWrite()
      store.putPart('info', Buffer.from(JSON.stringify(info)))
      return store
    })
  }

  /**
   * Opens what {@link create} made, in this process or another. Any number may read while one writes.
   *
   * @throws {JournalError} when it is not there, is damaged, or was written by a newer dist-node
   */
  static open(path: string, { readOnly = false } = {}): RunStore {
    const store = new RunStore(path, openDatabase(path, { readOnly }))
    return store.#closedIfFails(() => {
      store.#checkFormat()
      if (!readOnly) store.#prepareToWrite()
      return store
    })
  }

  /** @throws {JournalError} `JOURNAL_DAMAGED` */
  get info(): RunInfo {
    const body = this.part('info')
    if (body === undefined)
      throw new JournalError('JOURNAL_DAMAGED', `${this.path} does not say what run it is of`)
    return JSON.parse(Buffer.from(body).toString()) as RunInfo
  }

  /** Undefined before the first {@link appendOutcomes} or {@link putStatus}. */
  get status(): RunStatus | undefined {
    const body = this.part('status')
    return body === undefined ? undefined : (JSON.parse(Buffer.from(body).toString()) as RunStatus)
  }

  putStatus(status: RunStatus): void {
    this.putPart('status', Buffer.from(JSON.stringify(status)))
  }

  /** Whatever belongs to the run once, by name. */
  putPart(name: string, body: Uint8Array): void {
    this.#run('INSERT OR REPLACE INTO parts VALUES (?, ?, ?)', name, sum(`part ${name}`, body), body)
  }

  /** @throws {JournalError} `JOURNAL_DAMAGED` */
  part(name: string): Uint8Array | undefined {
    const row = this.#get('SELECT sum, body FROM parts WHERE name = ?', name)
    if (row === undefined) return undefined
    const body = row['body'] as Uint8Array
    if (row['sum'] === sum(`part ${name}`, body)) return body
    throw new JournalError('JOURNAL_DAMAGED', `${this.path} is damaged: its ${name} has a wrong checksum`)
  }

  /**
   * Adds results and says how far the run has come, both or neither.
   *
   * @param segment of an `OutcomeSegment`
   * @returns the number of the segment
   */
  appendOutcomes(segment: Uint8Array, status: RunStatus): number {
    return this.transaction(() => {
      const number = this.#append('outcomes', segment)
      this.putStatus(status)
      return number
    })
  }

  /** Puts a segment of another file where it was there. */
  putOutcomeSegment(number: number, segment: Uint8Array): void {
    this.#put('outcomes', number, segment)
  }

  /** Says that results up to the newest segment may be missing. */
  markDamaged(): void {
    this.putPart('damaged', Buffer.from(String(this.outcomeSegments)))
  }

  /** Up to which segment results may be missing, whether or not one is seen to; 0 when all is well. */
  get damagedUpTo(): number {
    const body = this.part('damaged')
    return body === undefined ? 0 : Math.max(1, Number(Buffer.from(body).toString()))
  }

  /** Whether SQLite finds its own structure in order; the checksums of rows are another matter. */
  get isSound(): boolean {
    try {
      const hasOrder = this.#get('PRAGMA quick_check(1)')?.['quick_check'] === 'ok'
      return hasOrder && this.#last('outcomes') === this.outcomeSegments
    } catch (error) {
      if (error instanceof JournalError && error.code === 'JOURNAL_DAMAGED') return false
      throw error
    }
  }

  /** Adds jobs, in the order of their index. */
  appendTasks(tasks: readonly StoredTask[]): number {
    return this.transaction(() => this.#append('tasks', writeTasks(tasks)))
  }

  /** Segments are numbered from 1; 0 when there is none. Some of them may be lost. */
  get outcomeSegments(): number {
    return this.#lastCredible('outcomes')
  }

  get taskSegments(): number {
    return this.#lastCredible('tasks')
  }

  /** For `readOutcomes`; undefined where it is damaged or lost. */
  outcomeSegment(number: number): Uint8Array | undefined {
    return this.#segment('outcomes', number)
  }

  /** Undefined where they are damaged or lost. */
  tasks(number: number): StoredTask[] | undefined {
    const segment = this.#segment('tasks', number)
    return segment === undefined ? undefined : readTasks(segment)
  }

  /** Units and heads. Putting one twice does nothing. */
  putBlob(hashOfBody: string, body: Uint8Array): void {
    this.#run('INSERT OR IGNORE INTO blobs VALUES (?, ?)', hashOfBody, body)
  }

  /** @throws {JournalError} `JOURNAL_DAMAGED` when it is not the blob of that name */
  blob(hashOfBody: string): Uint8Array | undefined {
    const row = this.#get('SELECT body FROM blobs WHERE hash = ?', hashOfBody)
    if (row === undefined) return undefined
    const body = row['body'] as Uint8Array
    if (hash('sha256', body) === hashOfBody) return body
    throw new JournalError(
      'JOURNAL_DAMAGED',
      `${this.path} is damaged: blob ${hashOfBody} is not what was stored`
    )
  }

  /** All that `work` writes, or nothing of it. One within another is part of it. */
  transaction<T>(work: () => T): T {
    if (this.#isInTransaction) return work()
    return guarded(this.path, () => {
      this.#database.exec('BEGIN IMMEDIATE')
      this.#isInTransaction = true
      try {
        const result = work()
        this.#database.exec('COMMIT')
        return result
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
        throw error
      } finally {
        this.#isInTransaction = false
      }
    })
  }

  /** What `work` writes is on the disk when it returns: a power cut does not undo it. */
  durably<T>(work: () => T): T {
    return guarded(this.path, () => {
      this.#database.exec('PRAGMA synchronous = FULL')
      try {
        const result = work()
        this.checkpoint()
        return result
      } finally {
        this.#database.exec('PRAGMA synchronous = NORMAL')
      }
    })
  }

  /** Brings to the disk what was written, but for what somebody reads at this moment. */
  checkpoint(): void {
    guarded(this.path, () => this.#database.exec('PRAGMA wal_checkpoint(PASSIVE)'))
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close()
  }

  #closedIfFails(prepare: () => RunStore): RunStore {
    try {
      return guarded(this.path, prepare)
    } catch (error) {
      this.close()
      throw error
    }
  }

  #checkFormat(): void {
    const format = this.#get('PRAGMA user_version')?.['user_version'] as number
    if (format === FORMAT) return
    if (format === 0) throw new JournalError('JOURNAL_DAMAGED', `${this.path} is not the journal of a run`)
    throw new JournalError('JOURNAL_NEWER', `${this.path} was written by a newer dist-node: update this one`)
  }

  /** With a write-ahead log and this, a crash of the process costs nothing and a power cut the last moments at most. */
  #prepareToWrite(): void {
    this.#database.exec(
      `PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}; PRAGMA cell_size_check = ON`
    )
  }

  #append(table: SegmentTable, body: Uint8Array): number {
    const number = this.#last(table) + 1
    this.#put(table, number, body)
    return number
  }

  #put(table: SegmentTable, number: number, body: Uint8Array): void {
    this.#run(`INSERT INTO ${table} VALUES (?, ?, ?)`, number, sum(`${table} ${number}`, body), body)
  }

  #last(table: SegmentTable): number {
    return (this.#get(`SELECT max(number) AS last FROM ${table}`)?.['last'] as number | null) ?? 0
  }

  /** A damaged number can be of any size: who counts up to it must come to an end. */
  #lastCredible(table: SegmentTable): number {
    const count = this.#get(`SELECT count(*) AS count FROM ${table}`)?.['count'] as number
    return Math.min(this.#last(table), count + MAX_LOST_SEGMENTS)
  }

  #segment(table: SegmentTable, number: number): Uint8Array | undefined {
    try {
      const row = this.#get(`SELECT sum, body FROM ${table} WHERE number = ?`, number)
      const body = row?.['body']
      if (!(body instanceof Uint8Array) || row?.['sum'] !== sum(`${table} ${number}`, body)) return undefined
      return body
    } catch (error) {
      if (error instanceof JournalError && error.code === 'JOURNAL_DAMAGED') return undefined
      throw error
    }
  }

  #get(sql: string, ...values: (string | number)[]): Record<string, unknown> | undefined {
    return guarded(this.path, () => this.#statement(sql).get(...values))
  }

  #run(sql: string, ...values: (string | number | Uint8Array)[]): void {
    guarded(this.path, () => this.#statement(sql).run(...values))
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) this.#statements.set(sql, (statement = this.#database.prepare(sql)))
    return statement
  }
}

/** Over the content and what it is called, so that a row cannot be taken for another. */
function sum(name: string, body: Uint8Array): number {
  return crc32(body, crc32(name))
}
