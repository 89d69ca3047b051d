/** Hands a whole run to a holder: prints the jobs one by one and sends them, until the holder says that it has all. */
import { MeshError } from '../errors.ts'
import type { HeldClient, HolderState } from './held-client.ts'
import { HandOver } from './held-sender.ts'
import type { Link } from '../link.ts'
import type { TaskSource } from '../run/task-source.ts'

/** A holder on this machine is found at once; while one of another machine may still join, that one is waited for. */
const SAME_HOST_MS = 1_000

/** A run that goes on without the node that submitted it. */
export interface DetachedRun {
  /** For `attach` and `cancel`, anywhere in the mesh. */
  readonly id: string
  /** Name of the node that holds it. */
  readonly holder: string
  /** How many jobs it has. */
  readonly jobs: number
}

interface DetachOptions {
  readonly label: string
  /** How long to wait for a node that takes the run. */
  readonly waitMs: number
  readonly signal?: AbortSignal | undefined
}

/**
 * @throws {MeshError} `MESH_NO_HOLDER` when no peer takes the run, `MESH_HOLDER_LOST` when it is lost before it has all
 * @throws {PrintError} when a job cannot travel; the holder then forgets the run
 */
export async function detachRun(
  client: HeldClient,
  source: TaskSource,
  options: DetachOptions
): Promise<DetachedRun> {
  await source.open()
  try {
    using handOver = await openHandOver(client, source, options)
    const jobs = await handOver.sendAll(source)
    return { id: source.id, holder: handOver.holder, jobs }
  } finally {
    await source.close()
  }
}

/** Asks one holder after the other, the best first, until one takes the run or time is up. */
async function openHandOver(
  client: HeldClient,
  { id, setup }: TaskSource,
  { label, waitMs, signal }: DetachOptions
): Promise<HandOver> {
  const refusals = new Map<Link, string>()
  const startedMs = performance.now()
  for (;;) {
    signal?.throwIfAborted()
    const elapsedMs = performance.now() - startedMs
    const holder = bestHolder(client.holders, refusals, elapsedMs >= SAME_HOST_MS)
    if (holder !== undefined) {
      const handOver = new HandOver(client, holder.link, signal)
      const body = setup === undefined ? {} : { setup: { body: setup.bytes, blobs: setup.units } }
      const refusal = await handOver.open({ type: 'hold', run: handOver.number, id, label, ...body })
      if (refusal === undefined) return handOver
      handOver[Symbol.dispose]()
      refusals.set(holder.link, `${holder.link.name}: ${refusal}`)
    } else if (elapsedMs >= waitMs) throw noHolder([...refusals.values()], waitMs)
    else
      await changed(
        client,
        Math.min(waitMs, elapsedMs < SAME_HOST_MS ? SAME_HOST_MS : waitMs) - elapsedMs,
        signal
      )
  }
}

/** One of this machine before all others, for it is the user's own; else the one with most slots. */
function bestHolder(
  holders: Iterable<HolderState>,
  refused: ReadonlyMap<Link, string>,
  takeAny: boolean
): HolderState | undefined {
  const candidates = [...holders].filter(
    ({ link, isSameHost }) => !refused.has(link) && (takeAny || isSameHost())
  )
  const rank = ({ isSameHost, slots }: HolderState): number => (isSameHost() ? 1e6 : 0) + slots
  return candidates.toSorted((a, b) => rank(b) - rank(a))[0]
}

function noHolder(refusals: readonly string[], waitMs: number): MeshError {
  const why =
    refusals.length > 0
      ? `no node takes the run: ${refusals.join('; ')}`
      : `no node that takes runs was found within ${waitMs / 1000} s: start one with dist-node start (without --no-hold)`
  return new MeshError('MESH_NO_HOLDER', why)
}

/** Resolves when a holder has joined, after that time, or when the signal is aborted. */
async function changed(client: HeldClient, timeoutMs: number, signal?: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const known = new Set([...client.holders].map(({ link }) => link))
  const timer = setTimeout(resolve, Math.max(0, timeoutMs))
  const stop = client.listen({
    onHolderJoined: ({ link }) => void (!known.has(link) && resolve()),
    onMessage: () => undefined
  })
  const abort = (): void => resolve()
  signal?.addEventListener('abort', abort, { once: true })
  await promise
  clearTimeout(timer)
  stop()
  signal?.removeEventListener('abort', abort)
}
