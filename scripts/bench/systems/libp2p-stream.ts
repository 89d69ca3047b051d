/**
 * A bare libp2p stream: TCP, Noise and Yamux as the packages come, nothing on top. Windows and buffers are as large as
 * dist-node's, so that neither has more room than the other.
 */
import { noise } from '@chainsafe/libp2p-noise'
import type { Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'
import { childFile, end, Lines, start } from '../child.ts'
import { frame, MessageReader, type Wire } from './wire.ts'

export const BENCH_PROTOCOL = '/dist-node-bench/1.0.0'

/** What one `send` gets at most: the fastest of the sizes that were tried, from 16 KiB on. */
const WRITE_BYTES = 1024 * 1024

export async function startLibp2pStream(): Promise<Wire> {
  const child = await start(process.execPath, [childFile('libp2p-answers.ts')])
  const [address = ''] = await new Lines(child.stdout, 'libp2p child').find(/^\/ip4.*/)
  const libp2p = await createBareLibp2p()
  const stream = await libp2p.dialProtocol(multiaddr(address), BENCH_PROTOCOL)
  let answered: (message: Uint8Array) => void = () => undefined
  const wire = attach(stream, (message) => answered(message))
  return {
    name: 'libp2p stream',
    details: 'TCP, Noise, Yamux, one stream',
    async exchange(message): Promise<Uint8Array> {
      const { promise, resolve } = Promise.withResolvers<Uint8Array>()
      answered = resolve
      await wire.send(message)
      return await promise
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await libp2p.stop()
      await end(child)
    }
  }
}

export function createBareLibp2p(): Promise<Libp2p> {
  return createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux({ streamOptions: { maxStreamWindowSize: 4 * 1024 * 1024 } })],
    connectionGater: { denyDialMultiaddr: () => false }
  })
}

/** Messages over a stream, in both directions. */
export function attach(
  stream: Stream,
  onMessage: (message: Uint8Array) => void
): { send(message: Uint8Array): Promise<void> } {
  const reader = new MessageReader(onMessage)
  stream.maxReadBufferLength = 16 * 1024 * 1024
  stream.addEventListener('message', ({ data }) => {
    for (const bytes of data instanceof Uint8Array ? [data] : data) reader.push(bytes)
  })
  return {
    async send(message): Promise<void> {
      for (const bytes of frame(message)) {
        for (let from = 0; from < bytes.byteLength; from += WRITE_BYTES) {
          if (!stream.send(bytes.subarray(from, from + WRITE_BYTES))) await drained(stream)
        }
      }
    }
  }
}

function drained(stream: Stream): Promise<void> {
  return new Promise((resolve) => stream.addEventListener('drain', () => resolve(), { once: true }))
}
