import { once } from 'node:events'
import { noise } from '@chainsafe/libp2p-noise'
import type { Connection, Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import type { Libp2p } from 'libp2p'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Channel } from '../../src/protocol/channel.ts'
import { GuessLimits } from '../../src/protocol/guess-limits.ts'
import { PROTOCOL } from '../../src/protocol/limits.ts'
import type { MeshKey } from '../../src/protocol/mesh-key.ts'
import { openChannel } from '../../src/protocol/open-channel.ts'
import { take } from './helpers/channels.ts'
import { meshKey, otherMeshKey, otherPasswordKey } from './helpers/keys.ts'

// Two real nodes on the loopback device: everything below the channel is what users run.

interface Listener {
  readonly node: Libp2p
  next(): Promise<Channel>
}

const nodes: Libp2p[] = []

async function startNode(): Promise<Libp2p> {
  const node = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionManager: { inboundConnectionThreshold: 1_000, maxIncomingPendingConnections: 1_000 },
    connectionMonitor: { enabled: false }
  })
  nodes.push(node)
  return node
}

async function listen(key: MeshKey, timeoutMs = 3_000, limits = new GuessLimits()): Promise<Listener> {
  const node = await startNode()
  const waiting: PromiseWithResolvers<Channel>[] = []
  const opened: Promise<Channel>[] = []
  await node.handle(
    PROTOCOL,
    (stream, connection) => {
      const remotePeer = connection.remotePeer.toString()
      const channel = openChannel(stream, {
        key,
        role: 'listener',
        localPeer: node.peerId.toString(),
        remotePeer,
        timeoutMs,
        guard: limits.guard('inbound', '127.0.0.1', remotePeer)
      })
      channel.catch(() => {})
      const waiter = waiting.shift()
      if (waiter === undefined) opened.push(channel)
      else waiter.resolve(channel)
    },
    { maxInboundStreams: 1_000 }
  )
  return {
    node,
    next() {
      const channel = opened.shift()
      if (channel !== undefined) return channel
      const waiter = Promise.withResolvers<Channel>()
      waiting.push(waiter)
      return waiter.promise
    }
  }
}

async function openTo(from: Libp2p, to: Libp2p): Promise<{ stream: Stream; connection: Connection }> {
  const connection = await from.dial(to.getMultiaddrs())
  return { stream: await connection.newStream(PROTOCOL, { maxOutboundStreams: 1_000 }), connection }
}

async function dial(from: Libp2p, to: Libp2p, key: MeshKey): Promise<Channel> {
  const { stream, connection } = await openTo(from, to)
  return openChannel(stream, {
    key,
    role: 'dialler',
    localPeer: from.peerId.toString(),
    remotePeer: connection.remotePeer.toString()
  })
}

function codes(results: readonly PromiseSettledResult<unknown>[]): string[] {
  return results.map((one) => (one.status === 'fulfilled' ? 'OK' : (one.reason as { code: string }).code))
}

describe('over libp2p', () => {
  let bob: Listener
  let alice: Libp2p

  beforeAll(async () => {
    bob = await listen(meshKey)
    alice = await startNode()
  })

  afterAll(async () => {
    await Promise.all(nodes.map(async (node) => node.stop()))
  })

  test('honest nodes open a channel and exchange a large body', async () => {
    const [ours, theirs] = await Promise.all([dial(alice, bob.node, meshKey), bob.next()])
    expect([ours.remotePeer, theirs.remotePeer]).toEqual([
      bob.node.peerId.toString(),
      alice.peerId.toString()
    ])
    const body = Buffer.alloc(9 * 1024 * 1024, 'large ')
    ours.send({ type: 'jobs', run: 1, timeoutMs: 0, blobs: [], jobs: [{ job: 1, attempt: 1, body }] })
    const [message] = await take(theirs.messages()[Symbol.asyncIterator](), 1)
    expect(message?.type === 'jobs' && Buffer.from(message.jobs[0]!.body).equals(body)).toBe(true)
    await ours.close()
    await theirs.close()
  })

  test.each([
    ['another password', otherPasswordKey, 'WRONG_PASSWORD'],
    ['another mesh', otherMeshKey, 'OTHER_MESH']
  ] as const)('%s: both sides say so', async (_, key, code) => {
    expect(codes(await Promise.allSettled([dial(alice, bob.node, key), bob.next()]))).toEqual([code, code])
  })

  test('a relay that passes every byte on between two honest nodes opens nothing', async () => {
    const mallory = await listen(otherPasswordKey)
    await mallory.node.unhandle(PROTOCOL)
    await mallory.node.handle(PROTOCOL, async (inner) => {
      inner.pause()
      const { stream: outer } = await openTo(mallory.node, bob.node)
      outer.addEventListener('message', ({ data }) => inner.send(data))
      inner.addEventListener('message', ({ data }) => outer.send(data))
      inner.addEventListener('remoteCloseWrite', () => void outer.close())
      outer.addEventListener('remoteCloseWrite', () => void inner.close())
      inner.resume()
    })
    expect(codes(await Promise.allSettled([dial(alice, mallory.node, meshKey), bob.next()]))).toEqual([
      'WRONG_PASSWORD',
      'WRONG_PASSWORD'
    ])
  })

  test('a stream that says nothing, or says it too slowly, is cut after the time limit', async () => {
    const quick = await listen(meshKey, 100)
    const silent = await openTo(alice, quick.node)
    await expect(quick.next()).rejects.toMatchObject({ code: 'HANDSHAKE_FAILED' })
    const slow = await openTo(alice, quick.node)
    const dripping = setInterval(() => {
      if (slow.stream.writeStatus === 'writable') slow.stream.send(Buffer.of(29))
    }, 20)
    await expect(quick.next()).rejects.toMatchObject({ code: 'HANDSHAKE_FAILED' })
    clearInterval(dripping)
    for (const { stream } of [silent, slow]) if (stream.status === 'open') await once(stream, 'close')
    expect([silent.stream.status, slow.stream.status]).toEqual(['reset', 'reset'])
  })

  test('a length prefix of 2^31 is refused without waiting for the bytes', async () => {
    const { stream } = await openTo(alice, bob.node)
    stream.send(Buffer.of(0x80, 0x80, 0x80, 0x80, 0x08))
    await expect(bob.next()).rejects.toMatchObject({ code: 'HANDSHAKE_FAILED' })
  })

  test('after wrong passwords an address has to wait, a known peer has not', async () => {
    const limited = await listen(meshKey)
    const [first] = await Promise.allSettled([dial(alice, limited.node, meshKey), limited.next()])
    expect(first.status).toBe('fulfilled')
    const guesses: string[] = []
    const mallory = await startNode()
    for (let guess = 0; guess < 7; guess++) {
      guesses.push(...codes(await Promise.allSettled([dial(mallory, limited.node, otherPasswordKey)])))
    }
    expect(guesses).toEqual([...Array<string>(5).fill('WRONG_PASSWORD'), 'PEER_BUSY', 'PEER_BUSY'])
    expect(codes(await Promise.allSettled([dial(alice, limited.node, meshKey)]))).toEqual(['OK'])
  })

  test('strangers that open streams and say nothing do not keep an honest peer out', async () => {
    const flooded = await listen(meshKey)
    const mallory = await startNode()
    // One after another: of many at once the muxer itself resets some.
    for (let stream = 0; stream < 30; stream++) await openTo(mallory, flooded.node)
    expect(codes(await Promise.allSettled([dial(alice, flooded.node, meshKey)]))).toEqual(['OK'])
  })

  test('a cancelled handshake ends at once', async () => {
    const { stream, connection } = await openTo(alice, bob.node)
    const opening = openChannel(stream, {
      key: meshKey,
      role: 'dialler',
      localPeer: alice.peerId.toString(),
      remotePeer: connection.remotePeer.toString(),
      signal: AbortSignal.abort()
    })
    await expect(opening).rejects.toMatchObject({ code: 'HANDSHAKE_FAILED' })
  })
})
