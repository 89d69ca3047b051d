/** Which runs go when there are too many, and that nothing waits for it. */
import { mkdtempSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { prune } from '../../src/journal/prune.ts'
import type { RunInfo, RunStage } from '../../src/journal/run-store.ts'
import { type ClaimedStore, RunsFolder } from '../../src/journal/runs-folder.ts'

let path: string
let folder: RunsFolder

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'dist-node-prune-'))
  folder = new RunsFolder(path)
})

afterEach(() => rmSync(path, { recursive: true }))

/** A run that was written to so many seconds after the first. */
function make(id: string, seconds: number, stage: RunStage, kind: RunInfo['kind'] = 'run'): ClaimedStore {
  const claimed = folder.create({ id, kind, label: '', startedMs: 0 })
  claimed.store.putStatus({ stage, succeeded: 0, failed: 0, activeMs: 0, updatedMs: 0 })
  claimed.store.checkpoint()
  for (const suffix of ['', '-wal']) utimesSync(join(folder.path, `${id}.sqlite${suffix}`), seconds, seconds)
  return claimed
}

const GENEROUS = 1024 ** 3

test('finished runs go first, the oldest of them first; those under way and those held for others stay', async () => {
  make('old-unfinished', 1, 'interrupted').release()
  make('held', 2, 'finished', 'held').release()
  make('b-finished', 4, 'finished').release()
  make('a-finished', 5, 'finished').release()
  const running = make('running', 3, 'finished')
  await prune(folder, { runs: 3, bytes: GENEROUS })
  expect(folder.ids().toSorted()).toEqual(['a-finished', 'held', 'old-unfinished', 'running'])
  await prune(folder, { runs: 1, bytes: GENEROUS })
  expect(folder.ids().toSorted()).toEqual(['held', 'running'])
  running.release()
})

test('bytes count as well as runs', async () => {
  for (const id of ['one', 'two', 'three']) make(id, 1, 'finished').release()
  await prune(folder, { runs: 50, bytes: 2 * folder.size('one') })
  expect(folder.ids()).toHaveLength(2)
})

test('one file in each turn of the event loop: others have their turn between', async () => {
  const ids = Array.from({ length: 12 }, (_, n) => `run-${n}`)
  for (const id of ids) make(id, 1, 'finished').release()
  let turns = 0
  const count = (): void => {
    turns++
    again = setImmediate(count)
  }
  let again = setImmediate(count)
  await prune(folder, { runs: 10, bytes: GENEROUS })
  clearImmediate(again)
  expect(folder.ids()).toHaveLength(10)
  expect(turns).toBeGreaterThanOrEqual(12)
})
