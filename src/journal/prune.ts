import { setImmediate as nextTurn } from 'node:timers/promises'
import { JournalError } from './errors.ts'
import type { RunsFolder } from './runs-folder.ts'

interface Limits {
  /** Runs that are kept, this one among them. */
  readonly runs: number
  /** What all of them may take on disk. */
  readonly bytes: number
}

const LIMITS: Limits = { runs: 50, bytes: 2 * 1024 ** 3 }

/**
 * Removes what is too much: finished runs first, those written to longest ago first. Runs under way stay, and so do those
 * that are held for others, which have limits of their own. One file in each turn of the event loop: a run has begun, and
 * its results do not wait for this.
 */
export async function prune(folder: RunsFolder, limits: Limits = LIMITS): Promise<void> {
  const all = folder.ids().map((id) => ({ id, bytes: folder.size(id), lastWriteMs: folder.lastWriteMs(id) }))
  // Looking into the files costs more than all the rest: only when it has to be.
  if (!isTooMuch(all, limits)) return
  const [finished, others]: [typeof all, typeof all] = [[], []]
  for (const run of all.toSorted((a, b) => a.lastWriteMs - b.lastWriteMs)) {
    await nextTurn()
    const { info, status } = folder.describe(run.id)
    if (info?.kind !== 'held') (status?.stage === 'finished' ? finished : others).push(run)
  }
  const kept = new Set([...finished, ...others])
  for (const run of kept) {
    if (!isTooMuch([...kept], limits)) return
    await nextTurn()
    if (tryRemove(folder, run.id)) kept.delete(run)
  }
}

function isTooMuch(runs: readonly { readonly bytes: number }[], limits: Limits): boolean {
  return runs.length > limits.runs || runs.reduce((sum, { bytes }) => sum + bytes, 0) > limits.bytes
}

function tryRemove(folder: RunsFolder, id: string): boolean {
  try {
    folder.remove(id)
    return true
  } catch (error) {
    // Somebody works on it, or it may not be removed.
    if (error instanceof JournalError) return false
    throw error
  }
}
