import { startWorkerSource, type WorkerSource } from './executor/worker-source.ts'
import { claimIdentity, type Identity, stateFolder } from './identity.ts'
import type { ResolvedNodeOptions } from './options.ts'

/** What takes time to get, before a node can be built on it. */
export interface Ground {
  readonly options: ResolvedNodeOptions
  readonly folder: string
  readonly identity: Identity
  readonly workers: WorkerSource | undefined
}

/** Claims an identity in the node's folder, and finds a sandbox for its workers. */
export async function prepareGround(options: ResolvedNodeOptions): Promise<Ground> {
  const folder = stateFolder(options.dir)
  const [identity, workers] = await Promise.all([
    claimIdentity(folder),
    options.slots > 0 ? startWorkerSource(options, folder) : undefined
  ])
  return { options, folder, identity, workers }
}
