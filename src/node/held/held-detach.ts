/** Hands a whole run to a holder: prints the jobs one by one and sends them, until the holder says that it has all. */
import { MeshError } from '../errors.ts'
import type { HeldClient, HolderState } from './held-client.ts'
import { FIND_WAIT_MS, findHeldRun } from './held-find.ts'
import { HeldSender } from './held-sender.ts'
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
 * @throws {MeshError} `MESH_NO_HOLDER` when no peer takes the run, `MESH_HOLDER_LOST` when it is lost meanwhile (as a
 *   {@link HandOverLost} when it had not got everything)
 * @throws {PrintError} when a job cannot travel; the holder then forgets the run
 */
export async function detachRun(
  client: HeldClient,
  source: TaskSource,
  options: DetachOptions
): Promise<DetachedRun> {
  await source.open()
  let run: DetachedRun
  try {
    run = await handOver(client, source, options)
  } catch (error) {
    // Not waited for: it may be the input that hangs.
    source.close().catch(() => undefined)
    throw error
  }
  await source.close()
  return run
}

async function handOver(
  client: HeldClient,
  source: TaskSource,
  options: DetachOptions
): Promise<DetachedRun> {
  using sender = await findHolder(client, source, options)
  const { id } = source
  try {
    await sender.sendAll(source)
    return { id, holder: sender.holder, jobs: sender.jobs }
  } catch (error) {
    if (!sender.isSent) throw error
    return await lookForRun(client, id, sender.holder)
  }
}

/** The holder has not said that it has the run. Handing it over once more might start it twice. */
async function lookForRun(client: HeldClient, id: string, lost: string): Promise<DetachedRun> {
  try {
    const { holder, jobs } = await findHeldRun(client, id, { waitMs: FIND_WAIT_MS })
    return { id, holder, jobs }
  } catch (cause) {
    const message = `${lost} was lost when it had been sent the whole run: dist-node attach ${id} tells whether it has it`
    throw new MeshError('MESH_HOLDER_LOST', message, { cause })
  }
}

/** Asks one holder after the other, the best first, until one takes the run or time is up. */
async function findHolder(
  client: HeldClient,
  { id, setup }: TaskSource,
  { label, waitMs, signal }: DetachOptions
): Promise<HeldSender> {
  const refusals = new Map<Link, string>()
  const startedMs = performance.now()
  for (;;) {
    signal?.throwIfAborted()
    const elapsedMs = performance.now() - startedMs
    const holder = bestHolder(client.holders, refusals, elapsedMs >= SAME_HOST_MS)
    if (holder !== undefined) {
      const sender = new HeldSender(client, holder.link, signal)
      const body = setup === undefined ? {} : { setup: { body: setup.bytes, blobs: setup.units } }
      const refusal = await sender.open({ type: 'hold', run: sender.number, id, label, ...body })
      if (refusal === undefined) return sender
      sender[Symbol.dispose]()
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
