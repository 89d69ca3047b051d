import type { Stream } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { encodeMessage } from './encode.ts'
import { ChannelClosedError } from './errors.ts'
import {
  MAX_UNREAD_BYTES,
  PARTS_PER_WRITE_BYTES,
  SMALL_FRAMES_PER_PART_BYTES,
  WRITE_HIGH_WATER_BYTES
} from './limits.ts'
import type { Message } from './messages.ts'
import { OutboundQueue } from './outbound-queue.ts'
import type { Outgoing } from './outbound-queue.ts'
import type { Sealer } from './seal.ts'

/** Bytes signed and written before other work of this process gets a turn: a few milliseconds. */
const MAX_BURST_BYTES = 1024 * 1024

/**
 * The sending half of a channel. Messages queued in one tick leave in one write; frames are signed when they are
 * written, so what waits can still be overtaken. Writes stop while the network is full: the `drain` event says when to
 * go on (the stream's own `onDrain()` promise works only once).
 */
export class ChannelWriter {
  readonly #stream: Stream
  readonly #sealer: Sealer
  readonly #queue = new OutboundQueue()
  #state: 'open' | 'finishing' | 'stopped' = 'open'
  #isScheduled = false
  #isBlocked = false
  #drained: PromiseWithResolvers<void> | undefined
  readonly #finished = Promise.withResolvers<void>()

  constructor(stream: Stream, sealer: Sealer) {
    this.#stream = stream
    this.#sealer = sealer
    this.#isBlocked = stream.writableNeedsDrain
    stream.addEventListener('drain', this.#onDrain)
    stream.addEventListener('close', this.stop)
  }

  get queuedBytes(): number {
    return this.#queue.bytes + this.#stream.writeBufferLength
  }

  send(message: Message): void {
    if (this.#state !== 'open' || this.#stream.writeStatus !== 'writable') {
      throw new ChannelClosedError(`${message.type}: the channel is closed`)
    }
    this.#queue.push(message, encodeMessage(message))
    if (this.#queue.answerBytes > MAX_UNREAD_BYTES) {
      this.stop()
      this.#stream.abort(new ChannelClosedError('the peer does not read what it is sent'))
      return
    }
    this.#schedule()
  }

  drained(): Promise<void> {
    if (this.#state === 'stopped' || this.queuedBytes < WRITE_HIGH_WATER_BYTES) return Promise.resolve()
    this.#drained ??= Promise.withResolvers<void>()
    return this.#drained.promise
  }

  /** Takes no more messages; resolves when those queued are written, or cannot be any more. */
  finish(): Promise<void> {
    if (this.#state === 'open') this.#state = 'finishing'
    this.#write()
    return this.#finished.promise
  }

  /** Takes no more messages and writes none. */
  readonly stop = (): void => {
    this.#state = 'stopped'
    this.#stream.removeEventListener('drain', this.#onDrain)
    this.#stream.removeEventListener('close', this.stop)
    this.#drained?.resolve()
    this.#finished.resolve()
  }

  readonly #onDrain = (): void => {
    this.#isBlocked = false
    this.#write()
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isBlocked) return
    this.#isScheduled = true
    // After the microtasks of this turn: everything they send leaves together, and still without waiting.
    process.nextTick(this.#write)
  }

  readonly #write = (): void => {
    this.#isScheduled = false
    let burstBytes = 0
    while (this.#state !== 'stopped' && !this.#isBlocked) {
      const frames = this.#queue.takeFrames(SMALL_FRAMES_PER_PART_BYTES)
      frames.push(...this.#queue.takeParts(PARTS_PER_WRITE_BYTES))
      if (frames.length === 0) break
      burstBytes += this.#send(frames)
      if (burstBytes > MAX_BURST_BYTES && !this.#isScheduled) {
        this.#isScheduled = true
        setImmediate(this.#write)
        break
      }
    }
    this.#notify()
  }

  #send(frames: readonly Outgoing[]): number {
    const bytes = new Uint8ArrayList()
    for (const outgoing of frames) {
      if ('frame' in outgoing) {
        this.#sealer.seal(outgoing.type, outgoing.frame)
        bytes.append(outgoing.frame)
      } else bytes.append(this.#sealer.sealPart(outgoing.head, outgoing.bytes))
    }
    const { byteLength } = bytes
    try {
      this.#isBlocked = !this.#stream.send(bytes)
    } catch {
      // The stream was closed under us; its close event tells whoever reads.
      this.stop()
    }
    return byteLength
  }

  #notify(): void {
    if (this.#drained !== undefined && this.queuedBytes < WRITE_HIGH_WATER_BYTES) {
      this.#drained.resolve()
      this.#drained = undefined
    }
    if (this.#state === 'finishing' && this.#queue.bytes === 0) this.#finished.resolve()
  }
}
