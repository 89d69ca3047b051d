import type { Stream } from '@libp2p/interface'
import { ByteSource } from './byte-source.ts'
import { SealedChannel } from './channel.ts'
import type { Channel, ChannelRole } from './channel.ts'
import { BusyError, ChannelClosedError, HandshakeError, ProtocolError } from './errors.ts'
import { proveAsDialler, proveAsListener, refuseBusy } from './handshake.ts'
import type { HandshakeGuard, HandshakeParty, HandshakeWire, SessionKeys } from './handshake.ts'
import { HANDSHAKE_TIMEOUT_MS, MAX_HANDSHAKE_MESSAGE_BYTES } from './limits.ts'
import type { MeshKey } from './mesh-key.ts'

export interface OpenChannelOptions {
  /**
   * The password of the mesh; several of different epochs while it is being changed, the newest first. A dialler uses
   * the first, never an older one: somebody who knows an old password must not be able to ask for it.
   */
  readonly key: MeshKey | readonly MeshKey[]
  readonly role: ChannelRole
  /** Text peer ids, both as the connection's Noise handshake has them. */
  readonly localPeer: string
  readonly remotePeer: string
  /** Counts guesses; see GuessLimits. @default none */
  readonly guard?: HandshakeGuard
  /** Ends the handshake; has no effect on the open channel. */
  readonly signal?: AbortSignal
  /** For all four handshake messages. @default 6_000 */
  readonly timeoutMs?: number
  /** For tests that replay bytes. @default node:crypto's randomBytes */
  readonly random?: (bytes: number) => Uint8Array
}

const NO_GUARD: HandshakeGuard = { begin() {}, refused() {}, exposed() {}, proved() {}, end() {} }

/** How long a stream that failed may take to deliver the refusal before it is cut. */
const FAREWELL_MS = 1_000

/**
 * Proves to the peer that we know the password and makes it prove the same, then hands out the stream as a channel.
 * Nothing about this node is sent before. On failure the stream is closed.
 *
 * @throws {WrongPasswordError} {@link OtherMeshError} {@link EpochError} {@link VersionError} {@link BusyError}
 * @throws {HandshakeError} when the peer is too slow, goes away or sends something else
 * @example const channel = await openChannel(stream, { key, role: 'dialler', localPeer, remotePeer })
 */
export async function openChannel(stream: Stream, options: OpenChannelOptions): Promise<Channel> {
  // First of all: a stream nobody listens to overflows, and what it received is lost.
  const source = new ByteSource(stream)
  const guard = options.guard ?? NO_GUARD
  const wire = makeWire(stream, source)
  const timeoutMs = options.timeoutMs ?? HANDSHAKE_TIMEOUT_MS
  const timer = setTimeout(() => {
    source.fail(new HandshakeError(`handshake: the peer did not finish it within ${timeoutMs} ms`))
  }, timeoutMs)
  const onAbort = (): void =>
    source.fail(new HandshakeError('handshake: cancelled', { cause: options.signal?.reason }))
  options.signal?.addEventListener('abort', onAbort, { once: true })
  if (options.signal?.aborted === true) onAbort()
  try {
    const keys = await prove(wire, guard, options)
    return new SealedChannel(stream, source, keys, options.remotePeer, options.role)
  } catch (error) {
    const cause = asHandshakeError(error)
    await endStream(stream, cause)
    throw cause
  } finally {
    clearTimeout(timer)
    options.signal?.removeEventListener('abort', onAbort)
    guard.end()
  }
}

function prove(
  wire: HandshakeWire,
  guard: HandshakeGuard,
  options: OpenChannelOptions
): Promise<SessionKeys> {
  const { role, localPeer, remotePeer, random } = options
  if (localPeer === remotePeer) throw new HandshakeError('handshake: the peer has the id of this node')
  const keys: readonly MeshKey[] = 'mesh' in options.key ? [options.key] : options.key
  const [newest] = keys
  if (newest === undefined) throw new RangeError('key: expected at least one, got none')
  const extra = { guard, ...(random === undefined ? {} : { random }) }
  const party: HandshakeParty =
    role === 'dialler'
      ? { dialler: localPeer, listener: remotePeer, ...extra }
      : { dialler: remotePeer, listener: localPeer, ...extra }
  try {
    guard.begin()
  } catch (error) {
    if (role === 'listener' && error instanceof BusyError) refuseBusy(wire)
    throw error
  }
  return role === 'dialler' ? proveAsDialler(wire, newest, party) : proveAsListener(wire, keys, party)
}

/** Handshake messages are prefixed with their length, a varint that always fits one byte. */
function makeWire(stream: Stream, source: ByteSource): HandshakeWire {
  return {
    async read(atEnd) {
      try {
        const [length = 0] = await source.read(1)
        if (length > MAX_HANDSHAKE_MESSAGE_BYTES) {
          throw new HandshakeError(
            `handshake: expected a message of at most ${MAX_HANDSHAKE_MESSAGE_BYTES} bytes`
          )
        }
        return await source.read(length)
      } catch (error) {
        throw atEnd !== undefined && source.hasEnded ? atEnd : error
      }
    },
    write(message) {
      stream.send(Buffer.concat([Buffer.of(message.byteLength), message]))
    }
  }
}

function asHandshakeError(error: unknown): Error {
  if (error instanceof ChannelClosedError) {
    return new HandshakeError('handshake: the peer closed the stream', { cause: error })
  }
  if (error instanceof ProtocolError || error instanceof RangeError) return error
  return new HandshakeError('handshake: the stream failed', { cause: error })
}

/** Lets a refusal reach the peer, but does not wait for one that keeps the stream open. */
async function endStream(stream: Stream, error: Error): Promise<void> {
  const timer = setTimeout(() => stream.abort(error), FAREWELL_MS).unref()
  stream.addEventListener('close', () => clearTimeout(timer), { once: true })
  if (error instanceof HandshakeError) {
    stream.abort(error)
    return
  }
  try {
    await stream.close({ signal: AbortSignal.timeout(FAREWELL_MS) })
  } catch {
    stream.abort(error)
  }
}
