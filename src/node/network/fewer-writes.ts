/**
 * What js-libp2p sends more often than it has to, held back: each small message cost a node four writes and as many
 * wake-ups of its peer, where one will do. Nothing here changes the bytes a peer may expect.
 */
import type { ConnectionEncrypter, MessageStream, Stream } from '@libp2p/interface'
import type { Uint8ArrayList } from 'uint8arraylist'

/** Up to this size a copy costs less than a second write. */
const JOINED_BYTES = 32 * 1024

/**
 * Noise hands over the length of a message and the message as two pieces, and the TCP transport writes each by itself.
 * This encrypter's connections write both at once.
 */
export function writeTogether<C>(
  makeEncrypter: (components: C) => ConnectionEncrypter
): (components: C) => ConnectionEncrypter {
  return (components) => {
    const encrypter = makeEncrypter(components)
    const secureInbound = encrypter.secureInbound.bind(encrypter)
    const secureOutbound = encrypter.secureOutbound.bind(encrypter)
    encrypter.secureInbound = (connection, options) => secureInbound(joinPieces(connection), options)
    encrypter.secureOutbound = (connection, options) => secureOutbound(joinPieces(connection), options)
    return encrypter
  }
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
