import type { Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { ChannelClosedError } from './errors.ts'
import { MAX_HANDSHAKE_MESSAGE_BYTES, READ_HIGH_WATER_BYTES, STREAM_READ_BUFFER_BYTES } from './limits.ts'

/**
 * The bytes of a stream, pulled. Listens from the moment it is made, so nothing that arrives early is lost, and holds
 * the peer back when more has come than its reader takes.
 */
export class ByteSource {
  readonly #stream: Stream
  readonly #received = new Uint8ArrayList()
  #highWaterBytes = MAX_HANDSHAKE_MESSAGE_BYTES
  #isPaused = false
  #hasEnded = false
  #error: Error | undefined
  #wake: (() => void) | undefined

  constructor(stream: Stream) {
    this.#stream = stream
    stream.addEventListener('message', this.#onMessage)
    stream.addEventListener('remoteCloseWrite', this.#onRemoteCloseWrite)
    stream.addEventListener('close', this.#onClose)
    if (stream.remoteWriteStatus === 'closed') this.#onRemoteCloseWrite()
    else if (stream.status !== 'open') this.fail(new ChannelClosedError('the connection was closed'))
  }

  /** Whether the peer has closed its side in an orderly way. */
  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** From now on the peer is known: buffer what one with large windows may have under way. */
  trust(): void {
    this.#highWaterBytes = READ_HIGH_WATER_BYTES
    this.#stream.maxReadBufferLength = STREAM_READ_BUFFER_BYTES
    this.#resume()
  }

  /** Ends reading with an error, once what has been received is read. The first error counts. */
  fail(error: Error): void {
    if (this.#hasEnded || this.#error !== undefined) return
    this.#error = error
    this.#wakeReader()
  }

  /** Exactly this many bytes. @throws when the stream ends before */
  async read(bytes: number): Promise<Uint8Array> {
    while (this.#received.byteLength < bytes) {
      if (!(await this.#more())) throw new ChannelClosedError('the peer closed the stream')
    }
    const read = this.#received.slice(0, bytes)
    this.#received.consume(bytes)
    return read
  }

  /** Whatever arrives, as it arrives, until the orderly end. @throws when the stream ends otherwise */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8ArrayList> {
    for (;;) {
      if (this.#received.byteLength > 0) {
        const chunk = this.#received.sublist()
        this.#received.consume(chunk.byteLength)
        yield chunk
      } else if (!(await this.#more())) return
    }
  }

  /** Waits for bytes; false at the orderly end. */
  async #more(): Promise<boolean> {
    const before = this.#received.byteLength
    this.#resume()
    for (;;) {
      if (this.#received.byteLength > before) return true
      if (this.#error !== undefined) throw this.#error
      // The stream may still hold what came before anybody listened.
      if (this.#hasEnded && this.#stream.readBufferLength === 0) return false
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  #resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    // What the stream kept while it was paused arrives in #onMessage before this returns.
    if (this.#stream.readStatus === 'paused') this.#stream.resume()
  }

  #wakeReader(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }

  readonly #onMessage = (event: StreamMessageEvent): void => {
    this.#received.append(event.data)
    if (
      this.#received.byteLength > this.#highWaterBytes &&
      !this.#isPaused &&
      this.#stream.readStatus === 'readable'
    ) {
      this.#isPaused = true
      this.#stream.pause()
    }
    this.#wakeReader()
  }

  readonly #onRemoteCloseWrite = (): void => {
    // No more will come than the stream has already, so holding back has no use.
    this.#resume()
    if (this.#error === undefined) this.#hasEnded = true
    this.#wakeReader()
  }

  readonly #onClose = (event: StreamCloseEvent): void => {
    this.#resume()
    this.fail(new ChannelClosedError('the connection was lost', { cause: event.error }))
    this.#stream.removeEventListener('message', this.#onMessage)
    this.#stream.removeEventListener('remoteCloseWrite', this.#onRemoteCloseWrite)
    this.#stream.removeEventListener('close', this.#onClose)
  }
}
