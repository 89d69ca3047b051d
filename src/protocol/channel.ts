import type { Stream } from '@libp2p/interface'
import { pipe } from 'it-pipe'
import type { Uint8ArrayList } from 'uint8arraylist'
import type { ByteSource } from './byte-source.ts'
import { ChannelWriter } from './channel-writer.ts'
import { decodeMessage } from './decode.ts'
import { ChannelClosedError, ProtocolError } from './errors.ts'
import { splitFrames } from './frame.ts'
import type { SessionKeys } from './handshake.ts'
import { CLOSE_TIMEOUT_MS } from './limits.ts'
import { PART_TYPE } from './messages.ts'
import type { Message } from './messages.ts'
import { PartAssembler } from './parts.ts'
import { RECEIVE_BUDGET } from './receive-budget.ts'
import { Opener, Sealer } from './seal.ts'
import type { OpenedFrame } from './seal.ts'

export type ChannelRole = 'dialler' | 'listener'

/** An authenticated stream to one peer: every message on it was signed with keys only the two have. */
export interface Channel extends AsyncDisposable {
  /** The peer's id, as Noise authenticated it and the password proof was bound to it. */
  readonly remotePeer: string
  readonly role: ChannelRole
  /** Which password of the mesh both sides used. */
  readonly epoch: number
  /**
   * Queues a message; never blocks. Large bodies are not copied and must not change until they are sent.
   *
   * @throws {ChannelClosedError} when the channel is closed
   * @throws {MessageTooLargeError} when a body is over MAX_BODY_BYTES; nothing of the message was sent
   */
  send(message: Message): void
  /** Bytes queued and not yet taken by the network. */
  readonly queuedBytes: number
  /** Resolves when `queuedBytes` is below WRITE_HIGH_WATER_BYTES, or the channel is closed. */
  drained(): Promise<void>
  /**
   * What the peer sends, in order, for one reader. Reading slowly holds the peer back. Ends when either side closes in
   * an orderly way.
   *
   * @throws {FrameError} when the peer broke the protocol; the stream is then cut
   * @throws {ChannelClosedError} when the connection was lost or the channel aborted
   */
  messages(): AsyncIterable<Message>
  /** Sends what is queued, then closes. What the peer had not sent by then is lost. Cuts the stream after 5 s. */
  close(): Promise<void>
  /** Cuts the stream at once, in both directions. */
  abort(error: Error): void
}

/** The channel over a stream whose handshake is done. {@link openChannel} makes them. */
export class SealedChannel implements Channel {
  readonly remotePeer: string
  readonly role: ChannelRole
  readonly epoch: number
  readonly #stream: Stream
  readonly #source: ByteSource
  readonly #opener: Opener
  readonly #writer: ChannelWriter
  #isRead = false
  #closing: Promise<void> | undefined

  constructor(stream: Stream, source: ByteSource, keys: SessionKeys, remotePeer: string, role: ChannelRole) {
    this.remotePeer = remotePeer
    this.role = role
    this.epoch = keys.epoch
    this.#stream = stream
    this.#source = source
    this.#opener = new Opener(keys.receive)
    this.#writer = new ChannelWriter(stream, new Sealer(keys.send))
    source.trust()
    // A peer that has closed reads no more: there is nobody to send to, and the stream ends when we close as well.
    stream.addEventListener('remoteCloseWrite', () => void this.close())
    if (stream.remoteWriteStatus === 'closed') void this.close()
  }

  get queuedBytes(): number {
    return this.#writer.queuedBytes
  }

  send(message: Message): void {
    this.#writer.send(message)
  }

  drained(): Promise<void> {
    return this.#writer.drained()
  }

  async *messages(): AsyncGenerator<Message> {
    if (this.#isRead) throw new Error('messages() may be read once')
    this.#isRead = true
    const share = RECEIVE_BUDGET.share((error) => this.abort(error))
    try {
      yield* pipe(
        this.#source,
        splitFrames,
        (frames) => openFrames(frames, this.#opener),
        (frames) => readMessages(frames, new PartAssembler(share))
      )
    } catch (error) {
      const cause = asProtocolError(error)
      this.abort(cause)
      throw cause
    } finally {
      share.close()
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  abort(error: Error): void {
    this.#source.fail(asProtocolError(error))
    this.#writer.stop()
    this.#stream.abort(error)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    const timeout = AbortSignal.timeout(CLOSE_TIMEOUT_MS)
    const closed = Promise.withResolvers<void>()
    this.#stream.addEventListener('close', () => closed.resolve(), { once: true })
    const cut = (): void => this.#stream.abort(new ChannelClosedError('the peer did not close in time'))
    timeout.addEventListener('abort', cut, { once: true })
    try {
      if (this.#stream.remoteWriteStatus === 'closed') this.#writer.stop()
      else await this.#writer.finish()
      await this.#stream.close({ signal: timeout })
    } catch {
      // Whatever kept the stream from closing in order, cutting it releases everything.
      cut()
    }
    if (this.#stream.status === 'open' || this.#stream.status === 'closing') await closed.promise
    timeout.removeEventListener('abort', cut)
  }
}

async function* openFrames(
  frames: AsyncIterable<Uint8ArrayList>,
  opener: Opener
): AsyncGenerator<OpenedFrame> {
  for await (const frame of frames) yield opener.open(frame)
}

async function* readMessages(
  frames: AsyncIterable<OpenedFrame>,
  assembler: PartAssembler
): AsyncGenerator<Message> {
  for await (const frame of frames) {
    const whole = frame.type === PART_TYPE ? assembler.accept(frame) : frame
    const message = whole === undefined ? undefined : decodeMessage(whole)
    if (message !== undefined) yield message
  }
}

function asProtocolError(error: unknown): ProtocolError {
  return error instanceof ProtocolError
    ? error
    : new ChannelClosedError('the channel was closed', { cause: error })
}
