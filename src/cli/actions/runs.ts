import type { StateOptions } from '../state-options.ts'
import { JournalError, openJournal, UsageError } from '../../index.ts'
import { log } from '../log.ts'
import { runTable } from '../run-list.ts'

export interface RunsOptions extends StateOptions {
  all?: boolean
}

export function listRuns({ dir, json, all }: RunsOptions): void {
  if (all === true) throw new UsageError('--all is for dist-node runs rm')
  const runs = openJournal(dir).runs()
  if (json === true) for (const run of runs) console.log(JSON.stringify(run))
  else if (runs.length === 0) log.info('no runs')
  else console.log(runTable(runs, process.stdout.hasColors?.()))
}

export function removeRuns(ids: readonly string[], { dir, json, all }: RunsOptions): void {
  if ((all === true) === ids.length > 0) throw new UsageError('expected the ids of runs, or --all')
  const journal = openJournal(dir)
  const say = (id: string): void => console.log(json === true ? JSON.stringify({ removed: id }) : id)
  if (all !== true) for (const id of ids) say(journal.remove(id))
  else for (const { id } of journal.runs()) removeUnlessRunning(() => say(journal.remove(id)))
}

function removeUnlessRunning(remove: () => void): void {
  try {
    remove()
  } catch (error) {
    if (!(error instanceof JournalError) || error.code !== 'JOURNAL_IN_USE') throw error
    log.warn(error.message)
  }
}
