import { once } from 'node:events'
import { createConnection } from 'node:net'
import type { Socket } from 'node:net'
import { noise } from '@chainsafe/libp2p-noise'
import { generateKeyPair, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import type { Libp2p } from 'libp2p'
import { afterEach, describe, expect, test } from 'vitest'
import { GATE_LIMITS } from '../../src/node/network/connection-gate.ts'
import { Transport } from '../../src/node/network/transport.ts'
import { PROTOCOL } from '../../src/protocol/limits.ts'
import { openChannel } from '../../src/protocol/open-channel.ts'
import { MeshKey } from '../../src/protocol/mesh-key.ts'

// A stranger on the same network does what it can to keep an honest node out.

const key = await MeshKey.derive('quiet lantern over the marsh', 'default')
const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

async function startTransport(): Promise<{ transport: Transport; opened: () => number }> {
  const privateKey = await generateKeyPair('Ed25519')
  let opened = 0
  const node: { transport?: Transport } = {}
  const transport = await Transport.start({
    privateKey: privateKeyToProtobuf(privateKey),
    listen: ['/ip4/127.0.0.1/tcp/0'],
    peers: [],
    onStream: (stream, connection) => {
      openChannel(stream, {
        key,
        role: 'listener',
        localPeer: idOf(transport),
        remotePeer: connection.remotePeer.toString()
      }).then(
        (channel) => {
          opened++
          node.transport?.onProven(connection)
          closing.push(() => channel.close())
        },
        (error: Error) => connection.abort(error)
      )
    }
  })
  node.transport = transport
  closing.push(() => transport.stop())
  return { transport, opened: () => opened }
}

const idOf = (transport: Transport): string => transport.addresses()[0]!.split('/p2p/')[1]!

/** How long an honest peer takes from nothing to an open channel. */
async function honestDial(to: Transport): Promise<number> {
  const { transport } = await startTransport()
  const startedMs = performance.now()
  const { stream, connection } = await transport.dial(to.addresses(), AbortSignal.timeout(10_000))
  const channel = await openChannel(stream, {
    key,
    role: 'dialler',
    localPeer: idOf(transport),
    remotePeer: connection.remotePeer.toString()
  })
  transport.onProven(connection)
  closing.push(() => channel.close())
  return performance.now() - startedMs
}

function connectTo(to: Transport): Socket {
  const [, , host = '', , port = ''] = to.addresses()[0]!.split('/')
  const socket = createConnection({ host, port: Number(port) })
  socket.on('error', () => {})
  closing.push(() => socket.destroy())
  return socket
}

async function stranger(): Promise<Libp2p> {
  const node = await createLibp2p({
    transports: [tcp()],
    connectionEncrypters: [noise({ prologueBytes: new TextEncoder().encode('dist-node/1') })],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    connectionMonitor: { enabled: false }
  })
  closing.push(() => node.stop())
  return node
}

describe('while a stranger floods a node, an honest peer gets in', () => {
  test('idle TCP connections', async () => {
    const { transport } = await startTransport()
    // More than the room there is for those who have proved nothing; those beyond are closed at once.
    const sockets = Array.from({ length: 40 }, () => connectTo(transport))
    await Promise.all(sockets.map((socket) => once(socket, 'connect')))
    expect(await honestDial(transport)).toBeLessThan(5_000)
    for (const socket of sockets) socket.destroy()
  })

  test('connections that send garbage', async () => {
    const { transport } = await startTransport()
    const garbage = Buffer.alloc(64 * 1024, 0x5a)
    for (let n = 0; n < 30; n++) connectTo(transport).write(garbage)
    expect(await honestDial(transport)).toBeLessThan(5_000)
  })

  test('many identities with connections and streams that say nothing', async () => {
    const { transport, opened } = await startTransport()
    const strangers = await Promise.all(Array.from({ length: 12 }, stranger))
    await Promise.allSettled(
      strangers.map(async (node) => {
        const connection = await node.dial(transport.addresses().map((address) => multiaddr(address)))
        await Promise.allSettled(
          Array.from({ length: 20 }, () => connection.newStream(PROTOCOL, { maxOutboundStreams: 99 }))
        )
      })
    )
    expect(await honestDial(transport)).toBeLessThan(5_000)
    expect(opened()).toBeLessThanOrEqual(1)
  })

  test('one identity gets only a few connections', async () => {
    const { transport } = await startTransport()
    const node = await stranger()
    const dials = await Promise.allSettled(
      Array.from({ length: 12 }, () =>
        node.dial(
          transport.addresses().map((address) => multiaddr(address)),
          { force: true }
        )
      )
    )
    await Promise.allSettled(
      dials.map(async (dial) => dial.status === 'fulfilled' && dial.value.newStream(PROTOCOL))
    )
    expect(node.getConnections().length).toBeLessThanOrEqual(GATE_LIMITS.perPeer + 1)
  })
})

test('peers that have proved the password do not count among strangers', { timeout: 60_000 }, async () => {
  const { transport, opened } = await startTransport()
  const peers = GATE_LIMITS.unprovenLoopback + 4
  // More than 64 in a second from one machine are turned away, whoever they are: those come again.
  while (opened() < peers) await Promise.allSettled([1, 2, 3, 4].map(() => honestDial(transport)))
  expect(opened()).toBeGreaterThanOrEqual(peers)
})

test('a connection that never proves the password is cut', { timeout: 12_000 }, async () => {
  const { transport } = await startTransport()
  const node = await stranger()
  const connection = await node.dial(transport.addresses().map((address) => multiaddr(address)))
  await once(connection, 'close')
  expect(connection.status).not.toBe('open')
})

test('an address outside the LAN is not dialled, whoever gave it', async () => {
  const { transport } = await startTransport()
  await expect(transport.dial(['/ip4/203.0.113.9/tcp/4001'], AbortSignal.timeout(2_000))).rejects.toThrow()
  await expect(transport.dial(['/ip4/192.168.1.1/tcp/22'], AbortSignal.timeout(2_000))).rejects.toThrow()
})
