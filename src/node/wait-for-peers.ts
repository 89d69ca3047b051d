import type { EventEmitter } from 'node:events'
import { MeshError } from './errors.ts'
import type { DistNodeEvents, PeerStatus } from './node-events.ts'

/** See `DistNode.waitForPeers`. */
export async function waitForPeers(
  node: EventEmitter<DistNodeEvents> & { readonly peers: readonly PeerStatus[] },
  count: number,
  { timeoutMs = 10_000, signal }: { timeoutMs?: number; signal?: AbortSignal }
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const lending = (): number => node.peers.filter(({ slots }) => slots > 0).length
  const check = (): void => {
    if (lending() >= count) resolve()
  }
  const give = (): void => {
    const message = `${lending()} of ${count} peers found within ${timeoutMs / 1000} s`
    reject(new MeshError('MESH_TOO_FEW_PEERS', message))
  }
  const abort = (): void => reject(signal?.reason)
  const timer = setTimeout(give, timeoutMs)
  node.on('peer-joined', check)
  signal?.addEventListener('abort', abort, { once: true })
  if (signal?.aborted) abort()
  check()
  try {
    await promise
  } finally {
    clearTimeout(timer)
    node.off('peer-joined', check)
    signal?.removeEventListener('abort', abort)
  }
}
