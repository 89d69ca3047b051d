/** A bare libp2p stream: the transport exactly as dist-node sets it up, TCP, Noise and Yamux, and nothing on top. */
import { generateKeyPair, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { Stream } from '@libp2p/interface'
import { Transport, type TransportInit } from '../../../src/node/transport.ts'
import { childFile, end, Lines, start } from '../child.ts'
import { frame, MessageReader, type Wire } from './wire.ts'

/** What one `send` gets at most: the fastest of the sizes that were tried, from 16 KiB on. */
const WRITE_BYTES = 1024 * 1024

export async function startLibp2pStream(): Promise<Wire> {
  const child = await start(process.execPath, [childFile('libp2p-answers.ts')])
  const [address = ''] = await new Lines(child.stdout, 'libp2p child').find(/^\/ip4.*/)
  const transport = await Transport.start(await bareTransport(() => undefined))
  const { stream } = await transport.dial([address], AbortSignal.timeout(10_000))
  let answered: (message: Uint8Array) => void = () => undefined
  const wire = attach(stream, (message) => answered(message))
  return {
    name: 'libp2p stream',
    details: 'TCP, Noise, Yamux as dist-node sets them up, one stream',
    async exchange(message): Promise<Uint8Array> {
      const { promise, resolve } = Promise.withResolvers<Uint8Array>()
      answered = resolve
      await wire.send(message)
      return await promise
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await transport.stop()
      await end(child)
    }
  }
}

export async function bareTransport(onStream: (stream: Stream) => void): Promise<TransportInit> {
  return {
    privateKey: privateKeyToProtobuf(await generateKeyPair('Ed25519')),
    listen: ['/ip4/127.0.0.1/tcp/0'],
    mdns: false,
    peers: [],
    meshHash: '',
    // Nobody proves a password here.
    proofTimeoutMs: 0,
    onFound: () => undefined,
    onStream
  }
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
