import { hostname } from 'node:os'
import { startWorkerSource, type WorkerSource } from './executor/worker-source.ts'
import { claimIdentity, type Identity, stateFolder } from './identity.ts'
import type { ResolvedNodeOptions } from './options.ts'

/** What takes time to get, before a node can be built on it. */
export interface Ground {
  readonly options: ResolvedNodeOptions
  readonly name: string
  readonly folder: string
  readonly identity: Identity
  readonly workers: WorkerSource | undefined
}

/** Claims an identity in the node's folder, and finds a sandbox for its workers. */
export async function prepareGround(options: ResolvedNodeOptions): Promise<Ground> {
  const folder = stateFolder(options.dir)
  const claiming = claimIdentity(folder)
  const starting = options.slots > 0 ? startWorkerSource(options, folder) : undefined
  try {
    const [identity, workers] = await Promise.all([claiming, starting])
    return { options, name: options.name ?? nameOf(identity), folder, identity, workers }
  } catch (error) {
    // There will be no node that gives back what the other of the two has got.
    await Promise.allSettled([
      claiming.then((identity) => identity.release()),
      starting?.then((workers) => workers.stop())
    ])
    throw error
  }
}

/** Several nodes of one machine are told apart by it. */
function nameOf({ number }: Identity): string {
  const host = hostname().slice(0, 60)
  return number === 1 ? host : `${host}-${number}`
}
