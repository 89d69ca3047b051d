/**
 * Runs in a host of the laboratory: a stranger who does not know the password and does what it can against one node,
 * as fast as one machine can. `stranger.ts MODE ADDRESS`, with the node's multiaddr. Says how often it has tried.
 */
import { createHash, randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { createConnection } from 'node:net'
import { noise } from '@chainsafe/libp2p-noise'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import type { Libp2p } from 'libp2p'
import { PROTOCOL } from '../../src/protocol/limits.ts'
import { MeshKey } from '../../src/protocol/mesh-key.ts'
import { openChannel } from '../../src/protocol/open-channel.ts'

const [mode = '', address = ''] = process.argv.slice(2)
const [, , host = '', , port = ''] = address.split('/')

/** Open at once on our side; the node allows far fewer. */
const AT_ONCE = 200

let tries = 0
setInterval(() => console.log(`tried ${tries}`), 250)

/** Keeps so many of an activity going, each starting again when it ends. */
function keepGoing(count: number, act: () => Promise<void>): void {
  const again = (): void => {
    tries++
    act().then(
      () => setImmediate(again),
      () => setImmediate(again)
    )
  }
  for (let n = 0; n < count; n++) again()
}

/** Opens a connection, sends something or nothing, and holds it for as long as the node lets us. */
function hold(bytes: Uint8Array | undefined): Promise<void> {
  return new Promise((resolve) => {
    const socket = createConnection(
      { host, port: Number(port) },
      () => bytes !== undefined && socket.write(bytes)
    )
    socket.on('error', () => {})
    socket.on('close', () => resolve())
    socket.resume()
  })
}

/** A new identity each time. */
function makePeer(): Promise<Libp2p> {
  return createLibp2p({
    transports: [tcp()],
    connectionEncrypters: [noise({ prologueBytes: new TextEncoder().encode('dist-node/1') })],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    connectionMonitor: { enabled: false }
  })
}

async function withPeer(act: (peer: Libp2p) => Promise<void>): Promise<void> {
  const peer = await makePeer()
  try {
    await act(peer)
  } finally {
    await peer.stop()
  }
}

const modes: Record<string, () => void> = {
  connections: () => keepGoing(AT_ONCE, () => hold(undefined)),
  garbage: () => keepGoing(AT_ONCE, () => hold(randomBytes(16 * 1024))),
  streams: () =>
    keepGoing(8, () =>
      withPeer(async (peer) => {
        const connection = await peer.dial(multiaddr(address), { signal: AbortSignal.timeout(5_000) })
        for (let n = 0; n < 8; n++)
          await connection.newStream(PROTOCOL, { signal: AbortSignal.timeout(5_000) })
        await new Promise((resolve) => connection.addEventListener('close', resolve, { once: true }))
      })
    ),
  guesses: () => {
    const guess = MeshKey.derive('a guess at the password', 'default')
    keepGoing(4, () =>
      withPeer(async (peer) => {
        const connection = await peer.dial(multiaddr(address), { signal: AbortSignal.timeout(5_000) })
        const stream = await connection.newStream(PROTOCOL, { signal: AbortSignal.timeout(5_000) })
        await openChannel(stream, {
          key: await guess,
          role: 'dialler',
          localPeer: peer.peerId.toString(),
          remotePeer: connection.remotePeer.toString()
        })
        console.log('let in')
      })
    )
  },
  announcements: () => {
    const meshHash = createHash('sha256').update('dist-node/mesh\0default').digest('hex').slice(0, 8)
    const tag = `_dist-node-${meshHash}._udp.local`
    const socket = createSocket('udp4')
    keepGoing(4, async () => {
      const peer = peerIdFromPrivateKey(await generateKeyPair('Ed25519')).toString()
      const name = `${randomBytes(8).toString('hex')}.${tag}`
      // Addresses of the LAN where nobody is, and of the internet.
      const addresses = [`/ip4/10.77.9.${tries % 250}/tcp/4001`, '/ip4/203.0.113.9/tcp/80']
      const texts = addresses.map((at) => characterString(`dnsaddr=${at}/p2p/${peer}`))
      const answers = [dnsRecord(tag, 12, dnsName(name)), ...texts.map((text) => dnsRecord(name, 16, text))]
      const header = Buffer.of(0, 0, 0x84, 0, 0, 0, 0, answers.length, 0, 0, 0, 0)
      await new Promise<void>((resolve) => {
        socket.send(Buffer.concat([header, ...answers]), 5353, '224.0.0.251', () => resolve())
      })
    })
  }
}

/** A resource record of RFC 1035. */
function dnsRecord(name: string, type: number, data: Buffer): Buffer {
  const fields = Buffer.alloc(10)
  fields.writeUInt16BE(type, 0)
  fields.writeUInt16BE(1, 2)
  fields.writeUInt32BE(120, 4)
  fields.writeUInt16BE(data.byteLength, 8)
  return Buffer.concat([dnsName(name), fields, data])
}

function dnsName(name: string): Buffer {
  return Buffer.concat([...name.split('.').map(characterString), Buffer.of(0)])
}

function characterString(text: string): Buffer {
  return Buffer.concat([Buffer.of(text.length), Buffer.from(text)])
}

const start = modes[mode]
if (start === undefined) throw new Error(`expected one of ${Object.keys(modes).join(', ')}, got ${mode}`)
start()
