/**
 * What js-libp2p does more often than it has to, done less often: each small message cost a node four writes, as many
 * wake-ups of its peer, and an error with its stack trace. Nothing here changes the bytes a peer may expect.
 */
import type { ConnectionEncrypter, MessageStream, Stream } from '@libp2p/interface'
import type { Uint8ArrayList } from 'uint8arraylist'

/** Up to this size a copy costs less than a second write. */
const JOINED_BYTES = 32 * 1024

/**
 * Noise hands over the length of a message and the message as two pieces, and the TCP transport writes each by itself.
 * This encrypter's connections write both at once, and read without throwing.
 */
export function thrifty<C>(
  makeEncrypter: (components: C) => ConnectionEncrypter
): (components: C) => ConnectionEncrypter {
  return (components) => {
    const encrypter = makeEncrypter(components)
    const secureInbound = encrypter.secureInbound.bind(encrypter)
    const secureOutbound = encrypter.secureOutbound.bind(encrypter)
    encrypter.secureInbound = async (connection, options) =>
      decodeQuietly(await secureInbound(joinPieces(connection), options))
    encrypter.secureOutbound = async (connection, options) =>
      decodeQuietly(await secureOutbound(joinPieces(connection), options))
    return encrypter
  }
}

/** How an encrypted connection of `@chainsafe/libp2p-noise` cuts what comes into messages; its types do not show it. */
interface LengthDecoder {
  lengthDecoder: (bytes: Uint8ArrayList) => number
}

const LENGTH_BYTES = 2

/** Longer than anything that can be there, so that the decoder waits for more. */
const NOT_ALL_THERE = 0xffff

/**
 * The decoder looks for the length of one more message after the last of every packet, and is told by an error that none
 * is there: a tenth of what receiving a small message costs.
 */
function decodeQuietly<S extends { connection: MessageStream }>(secured: S): S {
  const { decoder } = secured.connection as { decoder?: Partial<LengthDecoder> }
  if (decoder?.lengthDecoder !== undefined) {
    decoder.lengthDecoder = (bytes) => (bytes.byteLength < LENGTH_BYTES ? NOT_ALL_THERE : bytes.getUint16(0))
  }
  return secured
}

function joinPieces<S extends MessageStream>(connection: S): S {
  const send = connection.send.bind(connection)
  connection.send = (data: Uint8Array | Uint8ArrayList) =>
    send(data.byteLength <= JOINED_BYTES ? data.subarray() : data)
  return connection
}

/** What decides about window updates in a stream of `@libp2p/yamux`; its types do not show it. */
interface ReceiveWindow {
  recvWindow: number
  recvWindowCapacity: number
  sendWindowUpdate: () => void
}

/** A window update waits until this much has come: an eighth of the smallest window, so that no sender ever waits. */
const UPDATE_BYTES = 32 * 1024

/**
 * Yamux lets a receiver open its window again when it likes; js-libp2p sends an update, a message of its own, for every
 * message that comes. Large ones still get theirs at once: by their quick succession the window learns to grow.
 */
export function updateWindowSeldom(stream: Stream): void {
  const yamux = stream as unknown as Partial<ReceiveWindow>
  const update = yamux.sendWindowUpdate?.bind(yamux)
  if (update === undefined || yamux.recvWindow === undefined || yamux.recvWindowCapacity === undefined) return
  yamux.sendWindowUpdate = () => {
    if (yamux.recvWindow! - yamux.recvWindowCapacity! >= UPDATE_BYTES) update()
  }
}
