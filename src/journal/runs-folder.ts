import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Claim } from './claim.ts'
import { JournalError } from './errors.ts'
import { salvage } from './salvage.ts'
import { type RunInfo, type RunStatus, RunStore } from './run-store.ts'
import { guarded } from './sqlite.ts'

const SUFFIX = '.sqlite'

/** Files that SQLite keeps beside a file. */
const BESIDE = ['', '-wal', '-shm']

/** A run as lists show it. */
export interface StoredRun {
  readonly id: string
  /** Undefined when the file is damaged. */
  readonly info: RunInfo | undefined
  readonly status: RunStatus | undefined
  /** A living process works on it. */
  readonly isRunning: boolean
  readonly bytes: number
  /** Why nothing is known of it. */
  readonly damage?: string
}

/** A store that this process alone writes to. */
export interface ClaimedStore {
  readonly store: RunStore
  /** Closes the store and lets others go on with the run. */
  readonly release: () => void
}

/** The journals of one state folder: `<state>/runs/<id>.sqlite`. */
export class RunsFolder {
  readonly path: string

  constructor(stateFolder: string) {
    this.path = join(stateFolder, 'runs')
  }

  /** @throws {JournalError} `JOURNAL_UNWRITABLE` */
  create(info: RunInfo): ClaimedStore {
    const claim = this.#claim(info.id)
    return withClaim(claim, () => {
      try {
        return RunStore.create(this.#file(info.id), info)
      } catch (error) {
        // What a full disk has of it would be listed as a damaged run.
        this.#removeFiles(info.id)
        throw error
      }
    })
  }

  /**
   * Opens a run to go on with it.
   *
   * @throws {JournalError} `JOURNAL_IN_USE` when a living process does that already, `JOURNAL_DAMAGED` when not even what
   *   run it is of can be read
   */
  continue(id: string): ClaimedStore {
    const claim = this.#claim(id)
    return withClaim(claim, () => openSound(this.#file(id)))
  }

  /** Opens a run to read it, whoever may write to it. Close the store in the end. */
  read(id: string): RunStore {
    return RunStore.open(this.#file(id), { readOnly: true })
  }

  has(id: string): boolean {
    return this.ids().includes(id)
  }

  isRunning(id: string): boolean {
    return Claim.isTaken(this.#lock(id))
  }

  ids(): string[] {
    return names(this.path)
      .filter((name) => name.endsWith(SUFFIX))
      .map((name) => name.slice(0, -SUFFIX.length))
  }

  /**
   * The one run whose id begins like that.
   *
   * @throws {JournalError} `JOURNAL_UNKNOWN_RUN` when there is none, or more than one
   */
  find(prefix: string): string {
    const found = this.ids().filter((id) => prefix !== '' && id.startsWith(prefix))
    const [id] = found
    if (id !== undefined && found.length === 1) return id
    const what = id === undefined ? 'no run' : `${found.length} runs`
    throw new JournalError(
      'JOURNAL_UNKNOWN_RUN',
      `expected the beginning of one run's id, got '${prefix}': ${what} in ${this.path} begin${id === undefined ? 's' : ''} like that; dist-node runs lists them`
    )
  }

  /** All runs, the newest first. @throws {JournalError} `JOURNAL_UNWRITABLE` when there is a folder that cannot be read */
  list(): StoredRun[] {
    return (
      this.ids()
        .map((id) => this.describe(id))
        // Another process may have removed it meanwhile.
        .filter(({ id, info }) => info !== undefined || this.has(id))
        .toSorted((a, b) => (b.info?.startedMs ?? 0) - (a.info?.startedMs ?? 0))
    )
  }

  describe(id: string): StoredRun {
    const bytes = this.size(id)
    let store: RunStore | undefined
    try {
      store = this.read(id)
      return { id, info: store.info, status: store.status, isRunning: this.isRunning(id), bytes }
    } catch (error) {
      if (!(error instanceof JournalError)) throw error
      return {
        id,
        info: undefined,
        status: undefined,
        isRunning: this.isRunning(id),
        bytes,
        damage: error.message
      }
    } finally {
      store?.close()
    }
  }

  /** Bytes on disk. */
  size(id: string): number {
    return BESIDE.reduce((bytes, suffix) => bytes + sizeOf(this.#file(id) + suffix), 0)
  }

  /** When it was last written to: milliseconds since 1970. */
  lastWriteMs(id: string): number {
    return Math.max(...BESIDE.slice(0, 2).map((suffix) => statOf(this.#file(id) + suffix)?.mtimeMs ?? 0))
  }

  /** @throws {JournalError} `JOURNAL_IN_USE` when a living process works on it, `JOURNAL_UNWRITABLE` */
  remove(id: string): void {
    const claim = this.#claim(id)
    this.#removeFiles(id)
    claim.release({ remove: true })
  }

  #removeFiles(id: string): void {
    guarded(this.path, () => {
      for (const suffix of BESIDE) rmSync(this.#file(id) + suffix, { force: true })
    })
  }

  #claim(id: string): Claim {
    const claim = Claim.take(this.#lock(id))
    if (claim !== undefined) return claim
    throw new JournalError('JOURNAL_IN_USE', `run ${id} is being run by another process`)
  }

  #file(id: string): string {
    return join(this.path, id + SUFFIX)
  }

  #lock(id: string): string {
    return join(this.path, `${id}.lock`)
  }
}

/** The jobs of a held run are in its file: with some of them gone there is nothing to go on with. */
function openSound(path: string): RunStore {
  const store = RunStore.open(path)
  if (store.isSound || store.info.kind === 'held') return store
  store.close()
  salvage(path)
  return RunStore.open(path)
}

function withClaim(claim: Claim, open: () => RunStore): ClaimedStore {
  try {
    const store = open()
    return {
      store,
      release: () => {
        store.close()
        claim.release()
      }
    }
  } catch (error) {
    claim.release({ remove: true })
    throw error
  }
}

function names(folder: string): string[] {
  return existsSync(folder) ? guarded(folder, () => readdirSync(folder)) : []
}

function statOf(path: string): { size: number; mtimeMs: number } | undefined {
  return statSync(path, { throwIfNoEntry: false })
}

function sizeOf(path: string): number {
  return statOf(path)?.size ?? 0
}
