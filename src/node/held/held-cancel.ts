import type { HeldRunStatus } from '../../protocol/held-messages.ts'
import { MeshError } from '../errors.ts'
import type { HeldClient } from './held-client.ts'
import type { HeldRunInfo } from './held-find.ts'
import { unknownRun } from './held-find.ts'
import type { Link } from '../link.ts'

/** A holder writes down that a run is cancelled within milliseconds; this one does not work. */
const CANCEL_TIMEOUT_MS = 10_000

/** Behind every result: none are wanted. */
const NO_RESULTS = 0xffff_ffff

/**
 * Ends a held run: running jobs are stopped everywhere, the results so far stay.
 *
 * @param id the whole id
 * @returns how it stands now: one that had ended before is not cancelled
 * @throws {MeshError} `MESH_HOLDER_LOST` when its holder is gone before it has answered
 */
export async function cancelHeldRun(
  client: HeldClient,
  id: string,
  { signal }: { signal?: AbortSignal | undefined }
): Promise<HeldRunInfo> {
  const run = client.nextNumber()
  const ended = Promise.withResolvers<HeldRunInfo>()
  let holder: Link | undefined
  const onStatus = (link: Link, status: HeldRunStatus): void => {
    if (status.state !== 'running' && status.state !== 'waiting') {
      return ended.resolve({ ...status, holder: link.name })
    }
    if (holder !== undefined) return
    holder = link
    link.send({ type: 'cancel', run, jobs: [] })
  }
  const stop = client.listen({
    onHolderJoined: ({ link }) => link.send({ type: 'follow', run, id, position: NO_RESULTS }),
    onHolderLost: (link) => {
      if (link === holder)
        ended.reject(new MeshError('MESH_HOLDER_LOST', `${link.name} was lost while it cancelled run ${id}`))
    },
    onMessage: (link, message) => {
      if (message.type !== 'followed' || message.run !== run) return
      if (message.status?.id === id) onStatus(link, message.status)
    }
  })
  const timer = setTimeout(() => ended.reject(unknownRun(id, [])), CANCEL_TIMEOUT_MS)
  const abort = (): void => ended.reject(signal?.reason)
  signal?.addEventListener('abort', abort, { once: true })
  try {
    return await ended.promise
  } finally {
    clearTimeout(timer)
    stop()
    signal?.removeEventListener('abort', abort)
    for (const { link } of client.holders) link.send({ type: 'run-close', run })
  }
}
