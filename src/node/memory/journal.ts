/** The journals of a state folder, for whoever wants to know about runs, read their results again or go on with one. */
import { resolve } from 'node:path'
import { OutcomeIndex } from '../../journal/outcome-index.ts'
import { prune } from '../../journal/prune.ts'
import type { RunInfo, RunStatus } from '../../journal/run-store.ts'
import { type ClaimedStore, RunsFolder, type StoredRun } from '../../journal/runs-folder.ts'
import { foreignResultReader } from '../run/foreign-result.ts'
import { UsageError } from '../errors.ts'
import { stateFolder } from '../identity.ts'
import type { JobNames } from '../run/job-names.ts'
import { JournalRecorder, type RecorderParts } from './journal-recorder.ts'
import type { JournalOptions } from '../options.ts'
import type { JobResult } from '../run/result.ts'
import { readStored } from './stored-result.ts'
import type { TaskSource } from '../run/task-source.ts'

/** Results of one run beyond this are not written down. */
const MAX_RESULT_BYTES = 1024 ** 3

/**
 * - `running`: a living process works on it.
 * - `interrupted`: it ended before its last job; `resume` goes on.
 * - `finished`: every job has a result, good or bad.
 * - `failed`: an error of the input, of printing or of the program ended it.
 * - `cancelled`: it was ended early on purpose.
 * - `damaged`: its file cannot be read.
 */
export type RunState = 'running' | 'interrupted' | 'finished' | 'failed' | 'cancelled' | 'damaged'

/** A run as its journal knows it. */
export interface RunSummary {
  /** 32 hexadecimal digits. */
  readonly id: string
  /** What became of it. */
  readonly state: RunState
  /** What executors call it; for runs of a file its name. */
  readonly label: string
  /** The jobs file, as an absolute path; undefined for runs of a program. */
  readonly file: string | undefined
  /** What that file got. */
  readonly args: readonly string[]
  /** Jobs that returned. */
  readonly succeeded: number
  /** Jobs that failed for good. */
  readonly failed: number
  /** All jobs, where the input has told. */
  readonly total: number | undefined
  /** When it began. */
  readonly started: Date
  /** How long it has been run, by all the processes that did, in milliseconds. */
  readonly activeMs: number
  /** Bytes on disk. */
  readonly bytes: number
  /** This node runs it for another, which may be switched off. */
  readonly held: boolean
  /** Why it is `damaged`. */
  readonly damage: string | undefined
}

/** A run to go on with. */
export interface Resumption {
  readonly id: string
  readonly retryFailed: boolean
}

/**
 * What is known of the runs of a state folder: {@link openJournal}, or `node.journal`.
 *
 * @example const unfinished = node.journal.runs().filter(({ state }) => state === 'interrupted')
 */
export class Journal {
  readonly #folder: RunsFolder
  #pruned: Promise<void> = Promise.resolve()

  /** @internal */
  constructor(folder: RunsFolder) {
    this.#folder = folder
  }

  /** The runs of the last weeks, the newest first. */
  runs(): RunSummary[] {
    return this.#folder.list().map(summarize)
  }

  /**
   * The one run whose id begins like that.
   *
   * @throws {JournalError} `JOURNAL_UNKNOWN_RUN` when there is none, or more than one
   */
  run(prefix: string): RunSummary {
    return summarize(this.#folder.describe(this.#folder.find(prefix)))
  }

  /**
   * The results of a run, those of failed jobs too; of a run that is under way those that are there already. Instances of
   * the program's classes come as plain objects, for the program is not here.
   *
   * @param id the run's id, or its beginning
   * @param options.ordered in input order instead of the order in which they came; default false
   * @param options.onWarning called when results are lost, because the file is damaged
   * @throws {JournalError} when there is no such run, or its file cannot be read
   * @example for (const { index, value } of openJournal().results('3f2a')) console.log(index, value)
   */
  *results(
    id: string,
    options: { ordered?: boolean; onWarning?: (message: string) => void } = {}
  ): Generator<JobResult, void, void> {
    const found = this.#folder.find(id)
    const store = this.#folder.read(found)
    try {
      const index = new OutcomeIndex(store)
      if (index.damaged > 0) options.onWarning?.(damageText(found))
      const end = store.status?.stage === 'finished' ? (store.status.total ?? index.end) : index.end
      const read = foreignResultReader()
      const inOrder = options.ordered === true ? byIndex(index, end) : index.inOrder()
      for (const outcome of inOrder) {
        const isResult = outcome.kind === 'ok' || outcome.kind === 'error'
        if (isResult && outcome.index < end) yield readStored(outcome, read)
      }
    } finally {
      store.close()
    }
  }

  /**
   * Forgets runs.
   *
   * @param id the run's id, or its beginning
   * @returns the id
   * @throws {JournalError} `JOURNAL_IN_USE` when it is under way
   */
  remove(id: string): string {
    const found = this.#folder.find(id)
    this.#folder.remove(found)
    return found
  }

  /**
   * The recorder of a run that begins, or that goes on.
   *
   * @internal
   * @throws {JournalError} when the run to go on with cannot be
   */
  recorder(init: {
    readonly source: TaskSource
    readonly names: JobNames
    readonly label: string
    readonly about: JournalOptions
    readonly resumption: Resumption | undefined
    readonly onWarning: (message: string) => void
  }): JournalRecorder {
    const { source, names, resumption, onWarning } = init
    const parts = {
      names,
      total: () => source.total,
      maxBytes: MAX_RESULT_BYTES,
      onWarning
    }
    if (resumption !== undefined) return this.#continue(resumption, parts)
    const info: RunInfo = {
      id: source.id,
      kind: 'run',
      label: init.label,
      startedMs: Date.now(),
      ...about(init.about)
    }
    return new JournalRecorder({ ...parts, open: () => this.#create(info), retryFailed: false })
  }

  #create(info: RunInfo): ClaimedStore {
    const claimed = this.#folder.create(info)
    this.#pruned = this.#pruned.then(() => prune(this.#folder))
    return claimed
  }

  /**
   * Resolves when the runs that are too much have been removed.
   *
   * @internal
   */
  whenPruned(): Promise<void> {
    return this.#pruned
  }

  #continue(
    { id, retryFailed }: Resumption,
    parts: Omit<RecorderParts, 'open' | 'index' | 'earlier' | 'retryFailed'>
  ): JournalRecorder {
    const claimed = this.#folder.continue(id)
    try {
      if (claimed.store.info.kind === 'held') {
        throw new UsageError(
          `run ${id} is held by this node, which goes on with it by itself; follow it with attach`
        )
      }
      const index = new OutcomeIndex(claimed.store)
      if (index.damaged > 0) parts.onWarning(damageText(id))
      return new JournalRecorder({
        ...parts,
        open: () => claimed,
        index,
        earlier: claimed.store.status,
        retryFailed
      })
    } catch (error) {
      claimed.release()
      throw error
    }
  }
}

/**
 * The journal of a state folder: runs that were, their results, what can be gone on with.
 *
 * @param dir the state folder, as in {@link NodeOptions}; default: `DIST_NODE_DIR`, else the user's XDG state folder
 * @example for (const { id, state, succeeded } of openJournal().runs()) console.log(id, state, succeeded)
 */
export function openJournal(dir?: string): Journal {
  return new Journal(new RunsFolder(stateFolder(dir)))
}

function about({ file, args }: JournalOptions): Pick<RunInfo, 'file' | 'args'> {
  return { ...(file === undefined ? {} : { file: resolve(file) }), ...(args === undefined ? {} : { args }) }
}

function damageText(id: string): string {
  return `the journal of run ${id} is damaged: results that are lost count as not finished`
}

function* byIndex(index: OutcomeIndex, end: number): ReturnType<OutcomeIndex['inOrder']> {
  for (let at = 0; at < end; at++) {
    const outcome = index.at(at)
    if (outcome !== undefined) yield outcome
  }
}

function summarize({ id, info, status, isRunning, bytes, damage }: StoredRun): RunSummary {
  return {
    id,
    state: stateOf(info, status, isRunning),
    label: info?.label ?? '',
    file: info?.file,
    args: info?.args ?? [],
    succeeded: status?.succeeded ?? 0,
    failed: status?.failed ?? 0,
    total: status?.total,
    started: new Date(info?.startedMs ?? 0),
    activeMs: status?.activeMs ?? 0,
    bytes,
    held: info?.kind === 'held',
    damage
  }
}

function stateOf(info: RunInfo | undefined, status: RunStatus | undefined, isRunning: boolean): RunState {
  if (info === undefined) return 'damaged'
  if (isRunning) return 'running'
  return status === undefined || status.stage === 'open' ? 'interrupted' : status.stage
}
