import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { OutcomeSegment, readOutcomes, type StoredOutcome } from '../../src/journal/outcome-segment.ts'
import type { RunInfo, RunStatus } from '../../src/journal/run-store.ts'
import { RunsFolder } from '../../src/journal/runs-folder.ts'
import type { StoredTask } from '../../src/journal/task-segment.ts'

const folders: string[] = []

function makeFolder(): RunsFolder {
  const folder = mkdtempSync(join(tmpdir(), 'dist-node-journal-'))
  folders.push(folder)
  return new RunsFolder(folder)
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

const ID = 'ab'.repeat(16)
const INFO: RunInfo = {
  id: ID,
  kind: 'run',
  label: 'jobs.ts',
  startedMs: 1_000,
  file: '/jobs.ts',
  args: ['1']
}
const STATUS: RunStatus = { stage: 'open', succeeded: 1, failed: 0, total: 2, activeMs: 5, updatedMs: 2_000 }

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))

function outcome(index: number, more: Partial<StoredOutcome> = {}): StoredOutcome {
  return {
    index,
    kind: 'ok',
    attempt: 1,
    micros: 12,
    peer: '12D3KooW',
    node: 'attic',
    keyHead: 'head',
    keyTail: bytes(`key ${index}`),
    body: bytes(`body ${index}`),
    ...more
  }
}

function segmentOf(...outcomes: StoredOutcome[]): Uint8Array {
  const segment = new OutcomeSegment()
  for (const each of outcomes) segment.add(each)
  return segment.take()
}

describe('a segment of outcomes', () => {
  it('is read as it was written', () => {
    const outcomes = [
      outcome(0),
      outcome(2 ** 40, { kind: 'error', code: 'JOB_LOST', attempt: 300, micros: 3_600_000_000 * 24 }),
      outcome(2, { kind: 'started', node: 'Dachboden ä', body: new Uint8Array(0) }),
      outcome(3, { kind: 'moved', body: new Uint8Array(200_000).fill(7) })
    ]
    expect(readOutcomes(segmentOf(...outcomes))).toEqual(outcomes)
  })

  it('cut anywhere is read up to there or refused', () => {
    const segment = segmentOf(outcome(0), outcome(1))
    const whole = segmentOf(outcome(0)).length
    for (let length = 0; length < segment.length; length++) {
      const read = (): StoredOutcome[] => readOutcomes(segment.subarray(0, length))
      if (length === 0 || length === whole) expect(read()).toEqual([outcome(0)].slice(0, length))
      else expect(read).toThrow(expect.objectContaining({ code: 'JOURNAL_DAMAGED' }))
    }
  })
})

describe('the store of a run', () => {
  it('keeps what is written, for this process and others', () => {
    const folder = makeFolder()
    const { store, release } = folder.create(INFO)
    expect(store.status).toBeUndefined()
    expect(store.appendOutcomes(segmentOf(outcome(0)), STATUS)).toBe(1)
    expect(store.appendOutcomes(segmentOf(outcome(1)), { ...STATUS, succeeded: 2 })).toBe(2)
    const reader = folder.read(ID)
    expect(reader.info).toEqual(INFO)
    expect(reader.status).toEqual({ ...STATUS, succeeded: 2 })
    expect(reader.outcomeSegments).toBe(2)
    expect(readOutcomes(reader.outcomeSegment(2)!)).toEqual([outcome(1)])
    expect(reader.outcomeSegment(3)).toBeUndefined()
    reader.close()
    release()
    const again = folder.continue(ID)
    expect(again.store.appendOutcomes(segmentOf(outcome(2)), STATUS)).toBe(3)
    again.release()
  })

  it('keeps the jobs of held runs, their blobs and whatever else', () => {
    const { store, release } = makeFolder().create({ ...INFO, kind: 'held' })
    const tasks: StoredTask[] = [
      {
        index: 0,
        units: ['a', 'b'],
        timeoutMs: 0,
        retries: 0,
        idempotent: true,
        body: bytes('0')
      },
      {
        index: 1,
        head: 'h',
        units: ['c'],
        timeoutMs: 9,
        retries: 2,
        idempotent: false,
        body: bytes('')
      }
    ]
    store.transaction(() => {
      store.appendTasks(tasks)
      store.putPart('setup', bytes('setup'))
    })
    expect(store.taskSegments).toBe(1)
    expect(store.tasks(1)).toEqual(tasks)
    expect(store.part('setup')).toEqual(bytes('setup'))
    expect(store.part('else')).toBeUndefined()
    const unit = bytes('a unit')
    const name = createHash('sha256').update(unit).digest('hex')
    expect(store.blob(name)).toBeUndefined()
    store.putBlob(name, unit)
    store.putBlob(name, unit)
    expect(store.blob(name)).toEqual(unit)
    store.putBlob('0'.repeat(64), unit)
    expect(() => store.blob('0'.repeat(64))).toThrow(expect.objectContaining({ code: 'JOURNAL_DAMAGED' }))
    store.checkpoint()
    release()
  })

  it('keeps nothing of a transaction that fails', () => {
    const { store, release } = makeFolder().create(INFO)
    const failing = (): void =>
      store.transaction(() => {
        store.appendOutcomes(segmentOf(outcome(0)), STATUS)
        throw new RangeError('no')
      })
    expect(failing).toThrow(RangeError)
    expect(store.outcomeSegments).toBe(0)
    expect(store.status).toBeUndefined()
    expect(store.appendOutcomes(segmentOf(outcome(0)), STATUS)).toBe(1)
    release()
  })

  it('is readable for its owner alone', () => {
    const folder = makeFolder()
    const { store, release } = folder.create(INFO)
    store.appendOutcomes(segmentOf(outcome(0)), STATUS)
    expect(statSync(folder.path).mode & 0o777).toBe(0o700)
    for (const suffix of ['.sqlite', '.sqlite-wal', '.sqlite-shm', '.lock']) {
      expect(statSync(join(folder.path, ID + suffix)).mode & 0o777).toBe(0o600)
    }
    release()
  })
})

describe('the runs of a folder', () => {
  it('are found by the beginning of their id, the newest first', () => {
    const folder = makeFolder()
    const ids = ['aa11', 'aa22', 'bb33'].map((start) => start.padEnd(32, '0'))
    for (const [at, id] of ids.entries()) folder.create({ ...INFO, id, startedMs: at }).release()
    expect(folder.list().map(({ id }) => id)).toEqual(ids.toReversed())
    expect(folder.find('b')).toBe(ids[2])
    expect(folder.has(ids[0]!)).toBe(true)
    for (const prefix of ['aa', 'c', '']) {
      expect(() => folder.find(prefix)).toThrow(expect.objectContaining({ code: 'JOURNAL_UNKNOWN_RUN' }))
    }
    folder.remove(ids[0]!)
    expect(folder.find('aa')).toBe(ids[1])
    expect(folder.has(ids[0]!)).toBe(false)
    expect(() => folder.read(ids[0]!)).toThrow(expect.objectContaining({ code: 'JOURNAL_UNKNOWN_RUN' }))
    expect(() => folder.continue(ids[0]!)).toThrow(expect.objectContaining({ code: 'JOURNAL_UNKNOWN_RUN' }))
  })

  it('are written by one at a time, and not removed meanwhile', () => {
    const folder = makeFolder()
    const { release } = folder.create(INFO)
    expect(folder.isRunning(ID)).toBe(true)
    expect(() => folder.continue(ID)).toThrow(expect.objectContaining({ code: 'JOURNAL_IN_USE' }))
    expect(() => folder.remove(ID)).toThrow(expect.objectContaining({ code: 'JOURNAL_IN_USE' }))
    release()
    expect(folder.isRunning(ID)).toBe(false)
    folder.continue(ID).release()
    folder.remove(ID)
    expect(folder.ids()).toEqual([])
  })

  it('are not made by halves: of one that cannot be made nothing is listed', () => {
    const folder = makeFolder()
    // Where SQLite puts its log; a full disk fails in the same place.
    mkdirSync(join(folder.path, `${ID}.sqlite-wal`), { recursive: true })
    expect(() => folder.create(INFO)).toThrow(expect.objectContaining({ code: 'JOURNAL_UNWRITABLE' }))
    rmSync(join(folder.path, `${ID}.sqlite-wal`), { recursive: true, force: true })
    expect(folder.list()).toEqual([])
    folder.create(INFO).release()
  })

  it('cannot be told where the folder is none: that is not as if there were none', () => {
    const folder = makeFolder()
    writeFileSync(folder.path, '')
    expect(() => folder.list()).toThrow(expect.objectContaining({ code: 'JOURNAL_UNWRITABLE' }))
  })

  it('are none where there is no folder', () => {
    expect(new RunsFolder('/nowhere/at/all').list()).toEqual([])
  })
})
