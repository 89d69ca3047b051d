import { renameSync, rmSync } from 'node:fs'
import { RunStore } from './run-store.ts'

/** So many segments in a row that are not there are the end, where SQLite cannot count them any more. */
const MAX_GAP = 1_000

/**
 * Puts what can still be read of a damaged file into a new one, under its name. SQLite must not write to a file whose
 * structure is broken: it would break more.
 *
 * @throws {JournalError} `JOURNAL_DAMAGED` when not even what run it is of can be read
 */
export function salvage(path: string): void {
  const draft = `${path}.salvaged`
  rmSync(draft, { force: true })
  const damaged = RunStore.open(path, { readOnly: true })
  try {
    const sound = RunStore.create(draft, damaged.info)
    try {
      copyOutcomes(damaged, sound)
    } finally {
      sound.close()
    }
  } finally {
    damaged.close()
  }
  for (const suffix of ['-wal', '-shm']) rmSync(path + suffix, { force: true })
  renameSync(draft, path)
}

/** Under the numbers they had: a gap says that something is lost. */
function copyOutcomes(from: RunStore, to: RunStore): void {
  to.transaction(() => {
    for (let number = 1, lost = 0; lost < MAX_GAP; number++) {
      const segment = from.outcomeSegment(number)
      lost = segment === undefined ? lost + 1 : 0
      if (segment !== undefined) to.putOutcomeSegment(number, segment)
    }
    // Whatever came after the last that was found is lost as well.
    to.markDamaged()
  })
}
