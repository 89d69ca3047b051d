/**
 * Whatever happens to the bytes of a journal: what is read is what was written, or it is not there, or there is an error
 * that says so.
 */
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { JournalError } from '../../src/journal/errors.ts'
import { OutcomeIndex } from '../../src/journal/outcome-index.ts'
import { OutcomeSegment, type StoredOutcome } from '../../src/journal/outcome-segment.ts'
import { RunsFolder } from '../../src/journal/runs-folder.ts'

const ID = 'cd'.repeat(16)
const SEGMENTS = 24
const PER_SEGMENT = 12

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dist-node-damage-'))
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value))

function outcome(index: number): StoredOutcome {
  const isError = index % 5 === 0
  return {
    index,
    kind: isError ? 'error' : 'ok',
    attempt: 1 + (index % 3),
    micros: index * 7,
    peer: '12D3KooWpeer',
    node: 'attic',
    ...(isError ? { code: 'JOB_TIMEOUT' } : {}),
    keyHead: `code ${index % 4}`,
    keyTail: text(`arguments ${index}`),
    body: text(`the result of ${index} `.repeat(1 + (index % 20)))
  }
}

/** The files of a journal: moved into one file, or as a crash leaves them, most of it still in the log. */
function makeJournal(name: string, isClosed: boolean): string {
  const path = join(folder, name)
  const runs = new RunsFolder(path)
  const { store, release } = runs.create({ id: ID, kind: 'run', label: 'x', startedMs: 1 })
  const segment = new OutcomeSegment()
  for (let number = 0; number < SEGMENTS; number++) {
    for (let row = 0; row < PER_SEGMENT; row++) segment.add(outcome(number * PER_SEGMENT + row))
    const succeeded = (number + 1) * PER_SEGMENT
    store.appendOutcomes(segment.take(), { stage: 'open', succeeded, failed: 0, activeMs: 1, updatedMs: 1 })
    if (!isClosed && number === SEGMENTS / 2) store.checkpoint()
  }
  if (isClosed) release()
  else {
    const copy = join(folder, `${name}-copy`)
    mkdirSync(join(copy, 'runs'), { recursive: true })
    for (const suffix of ['', '-wal']) {
      copyFileSync(join(path, 'runs', `${ID}.sqlite${suffix}`), join(copy, 'runs', `${ID}.sqlite${suffix}`))
    }
    release()
    return copy
  }
  return path
}

/** Goes on with the run, twice, as `--resume` would. Returns how many results were found, or the code of the error. */
function resume(path: string): number | string {
  try {
    resumeOnce(path)
    return resumeOnce(path)
  } catch (error) {
    if (error instanceof JournalError) return error.code
    throw error
  }
}

/** Finds whatever is right and writes a little more. */
function resumeOnce(path: string): number {
  const { store, release } = new RunsFolder(path).continue(ID)
  try {
    const index = new OutcomeIndex(store)
    const found = findAll(index)
    // A log that was cut was shorter, as far as anybody can tell; anything else that is missing is known to be.
    if (found < SEGMENTS * PER_SEGMENT && index.damaged === 0) {
      expect(index.end).toBeLessThan(SEGMENTS * PER_SEGMENT)
    }
    const again = new OutcomeSegment()
    again.add(outcome(1))
    store.appendOutcomes(again.take(), { stage: 'open', succeeded: 1, failed: 0, activeMs: 1, updatedMs: 1 })
    return found
  } finally {
    release()
  }
}

function findAll(index: OutcomeIndex): number {
  const expected = Array.from({ length: SEGMENTS * PER_SEGMENT }, (_, at) => outcome(at))
  const taken = expected.map((each) => index.take(each.index, each.keyHead, each.keyTail))
  for (const [at, each] of taken.entries()) if (each !== undefined) expect({ ...each }).toEqual(expected[at])
  return taken.filter((each) => each !== undefined).length
}

describe.each([
  { name: 'closed', isClosed: true, files: ['.sqlite'] },
  { name: 'crashed', isClosed: false, files: ['.sqlite', '.sqlite-wal'] }
])('a $name journal', ({ name, isClosed, files }) => {
  let path: string

  beforeAll(() => {
    path = makeJournal(name, isClosed)
  })

  function damaged(file: string, damage: (path: string, bytes: Buffer) => void): number | string {
    const copy = mkdtempSync(join(folder, 'copy-'))
    mkdirSync(join(copy, 'runs'))
    for (const each of files) copyFileSync(join(path, 'runs', ID + each), join(copy, 'runs', ID + each))
    const target = join(copy, 'runs', ID + file)
    damage(target, readFileSync(target))
    const result = resume(copy)
    rmSync(copy, { recursive: true })
    return result
  }

  it('is read as it is', () => {
    expect(damaged(files[0]!, () => undefined)).toBe(SEGMENTS * PER_SEGMENT)
  })

  it.each(files)('with a byte of %s changed: right results, fewer results, or an error', (file) => {
    const { length } = readFileSync(join(path, 'runs', ID + file))
    const outcomes = new Set<number | string>()
    const step = Math.max(1, Math.floor(length / 40))
    for (let at = 0; at < length; at += step + (at % 13)) {
      outcomes.add(
        damaged(file, (target, bytes) => {
          bytes[at]! ^= 1 << (at % 8)
          writeFileSync(target, bytes)
        })
      )
    }
    for (const each of outcomes)
      if (typeof each === 'string') expect(each).toMatch(/^JOURNAL_(DAMAGED|NEWER)$/)
    expect([...outcomes].some((each) => typeof each === 'number' && each > 0)).toBe(true)
    expect(outcomes.size).toBeGreaterThan(1)
  })

  it.each(files)('with a page of %s overwritten', (file) => {
    const { length } = readFileSync(join(path, 'runs', ID + file))
    for (let at = 0; at < length; at += 4096 * Math.ceil(length / 4096 / 12)) {
      const result = damaged(file, (target, bytes) => {
        bytes.fill(at % 251, at, Math.min(length, at + 4096))
        writeFileSync(target, bytes)
      })
      if (typeof result === 'string') expect(result).toMatch(/^JOURNAL_(DAMAGED|NEWER)$/)
    }
  })

  it.each(files)('with %s cut anywhere', (file) => {
    const { length } = readFileSync(join(path, 'runs', ID + file))
    for (let at = 0; at < length; at += Math.ceil(length / 25)) {
      const result = damaged(file, (target) => truncateSync(target, at))
      if (typeof result === 'string') expect(result).toMatch(/^JOURNAL_(DAMAGED|NEWER)$/)
    }
  })
})
