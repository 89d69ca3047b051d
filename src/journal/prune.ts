import { JournalError } from './errors.ts'
import type { RunsFolder } from './runs-folder.ts'

export interface JournalLimits {
  /** Runs that are kept, this one among them. */
  readonly runs: number
  /** What all of them may take on disk. */
  readonly bytes: number
}

export const DEFAULT_LIMITS: JournalLimits = { runs: 50, bytes: 2 * 1024 ** 3 }

/** Removes what is too much: finished runs first, those written to longest ago first. Runs under way stay. */
export function prune(folder: RunsFolder, limits: JournalLimits): void {
  const runs = folder.ids().map((id) => ({ id, bytes: folder.size(id), lastWriteMs: folder.lastWriteMs(id) }))
  let count = runs.length
  let bytes = runs.reduce((sum, run) => sum + run.bytes, 0)
  const isTooMuch = (): boolean => count > limits.runs || bytes > limits.bytes
  if (!isTooMuch()) return
  const byAge = runs.toSorted((a, b) => a.lastWriteMs - b.lastWriteMs)
  const isFinished = (id: string): boolean => folder.describe(id).status?.stage === 'finished'
  const finished = byAge.filter(({ id }) => isFinished(id))
  const others = byAge.filter((run) => !finished.includes(run))
  for (const run of [...finished, ...others]) {
    if (!isTooMuch()) return
    if (!tryRemove(folder, run.id)) continue
    count--
    bytes -= run.bytes
  }
}

function tryRemove(folder: RunsFolder, id: string): boolean {
  try {
    folder.remove(id)
    return true
  } catch (error) {
    // Somebody works on it.
    if (error instanceof JournalError) return false
    throw error
  }
}
