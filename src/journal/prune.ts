import { JournalError } from './errors.ts'
import type { RunsFolder } from './runs-folder.ts'

export interface JournalLimits {
  /** Runs that are kept, this one among them. */
  readonly runs: number
  /** What all of them may take on disk. */
  readonly bytes: number
}

export const DEFAULT_LIMITS: JournalLimits = { runs: 50, bytes: 2 * 1024 ** 3 }

/**
 * Removes what is too much: finished runs first, those written to longest ago first. Runs under way stay, and so do those
 * that are held for others, which have limits of their own.
 */
export function prune(folder: RunsFolder, limits: JournalLimits): void {
  const all = folder.ids().map((id) => ({ id, bytes: folder.size(id), lastWriteMs: folder.lastWriteMs(id) }))
  // Looking into the files costs more than all the rest: only when it has to be.
  if (!isTooMuch(all, limits)) return
  const runs = all
    .map((run) => ({ ...run, about: folder.describe(run.id) }))
    .filter(({ about }) => about.info?.kind !== 'held')
    .toSorted((a, b) => a.lastWriteMs - b.lastWriteMs)
  const isFinished = ({ about }: (typeof runs)[number]): boolean => about.status?.stage === 'finished'
  const kept = new Set(runs)
  for (const run of [...runs.filter(isFinished), ...runs.filter((run) => !isFinished(run))]) {
    if (!isTooMuch([...kept], limits)) return
    if (tryRemove(folder, run.id)) kept.delete(run)
  }
}

function isTooMuch(runs: readonly { readonly bytes: number }[], limits: JournalLimits): boolean {
  return runs.length > limits.runs || runs.reduce((sum, { bytes }) => sum + bytes, 0) > limits.bytes
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
