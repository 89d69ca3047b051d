import type { HeldRunStatus } from '../../protocol/held-messages.ts'
import { MeshError, UsageError } from '../errors.ts'
import type { HeldClient } from './held-client.ts'
import type { Link } from '../link.ts'
import { resolveWaitMs } from '../option-checks.ts'

/** How long the node that holds a run is looked for, unless told otherwise. */
export const FIND_WAIT_MS = 10_000

/** A beginning of an id that fits one run may fit another, of a holder that answers a moment later. */
const AMBIGUITY_MS = 500

const WHOLE_ID = /^[0-9a-f]{32}$/
const BEGINNING = /^[0-9a-f]{1,32}$/

/** How a held run stands, and who holds it. */
export interface HeldRunInfo extends HeldRunStatus {
  /** Name of the node that holds it. */
  readonly holder: string
}

interface SearchOptions {
  readonly waitMs: number
  readonly signal?: AbortSignal | undefined
}

/** Everything that the holders which are there within that time hold. */
export async function listHeldRuns(client: HeldClient, options: SearchOptions): Promise<HeldRunInfo[]> {
  const { found } = await search(client, '', options, () => undefined)
  return found
}

/**
 * The one held run whose id begins like this.
 *
 * @throws {UsageError} when that cannot be the beginning of an id, or is that of several
 * @throws {MeshError} `MESH_RUN_UNKNOWN` when no holder that is there within `waitMs` has such a run
 */
export async function findHeldRun(
  client: HeldClient,
  prefix: string,
  options: SearchOptions
): Promise<HeldRunInfo> {
  if (!BEGINNING.test(prefix)) {
    throw new UsageError(`expected the id of a run (1 to 32 of 0-9 and a-f), got ${JSON.stringify(prefix)}`)
  }
  const enoughMs = WHOLE_ID.test(prefix) ? 0 : AMBIGUITY_MS
  const { found, asked } = await search(client, prefix, options, () => enoughMs)
  const [run] = found
  if (run === undefined) throw unknownRun(prefix, asked)
  if (found.length > 1) {
    throw new UsageError(
      `${prefix}: ${found.length} runs begin like that: ${found.map(({ id }) => id).join(', ')}`
    )
  }
  return run
}

/** @param asked names of the nodes that do not have it */
export function unknownRun(id: string, asked: readonly string[]): MeshError {
  const who = asked.length === 0 ? 'no node that holds runs was found' : `asked: ${asked.join(', ')}`
  return new MeshError(
    'MESH_RUN_UNKNOWN',
    `no node that is here holds run ${id} (${who}); when its node comes back, so does the run`
  )
}

/** @param enoughAfterMs after a first answer: how much longer to listen; `undefined`: to the end */
async function search(
  client: HeldClient,
  prefix: string,
  { waitMs, signal }: SearchOptions,
  enoughAfterMs: () => number | undefined
): Promise<{ found: HeldRunInfo[]; asked: string[] }> {
  const found = new Map<string, HeldRunInfo>()
  const asked = new Map<Link, string>()
  /** One answer of each: nobody fills our memory with runs. */
  const waitedFor = new Set<Link>()
  const request = client.nextNumber()
  const done = Promise.withResolvers<void>()
  const abort = (): void => done.reject(signal?.reason)
  const timers = [setTimeout(done.resolve, resolveWaitMs(waitMs))]
  const stop = client.listen({
    onHolderJoined({ link }) {
      asked.set(link, link.name)
      waitedFor.add(link)
      link.send({ type: 'find-runs', request, prefix })
    },
    onMessage(link, message) {
      if (message.type !== 'found-runs' || message.request !== request || !waitedFor.delete(link)) return
      // Two processes of one state folder show the same run.
      for (const run of message.runs) found.set(run.id, { ...run, holder: link.name })
      const moreMs = found.size === 0 ? undefined : enoughAfterMs()
      if (moreMs !== undefined) timers.push(setTimeout(done.resolve, moreMs))
    }
  })
  signal?.addEventListener('abort', abort, { once: true })
  if (signal?.aborted === true) abort()
  try {
    await done.promise
    return { found: [...found.values()], asked: [...new Set(asked.values())] }
  } finally {
    for (const timer of timers) clearTimeout(timer)
    stop()
    signal?.removeEventListener('abort', abort)
  }
}
