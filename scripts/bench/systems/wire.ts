/**
 * The two bare wires: what a libp2p stream and a pipe do with nothing on top. Both ends speak the same few words: a
 * message is a 4-byte length and as many bytes; the first byte of a message says what to do.
 */

const WIRE_COMMANDS = { echo: 0, swallow: 1, produce: 2 } as const

/** A wire to a process that answers: see `children/wire-answers.ts`. */
export interface Wire extends AsyncDisposable {
  readonly name: string
  readonly details: string
  /** Sends one message and waits for the answer. */
  exchange(message: Uint8Array): Promise<Uint8Array>
}

/** Milliseconds of each of so many echoes of a message as long as one small job and its frame. */
export async function echo(wire: Wire, count: number): Promise<number[]> {
  const message = new Uint8Array(128).fill(WIRE_COMMANDS.echo)
  const times: number[] = []
  for (let n = 0; n < count; n++) {
    const started = performance.now()
    await wire.exchange(message)
    times.push(performance.now() - started)
  }
  return times
}

/** Milliseconds to send so many bytes and hear that all came. */
export async function sendBytes(wire: Wire, count: number): Promise<number> {
  const message = new Uint8Array(count).fill(WIRE_COMMANDS.swallow)
  const started = performance.now()
  await wire.exchange(message)
  return performance.now() - started
}

/** Milliseconds to ask for so many bytes and have them all. */
export async function fetchBytes(wire: Wire, count: number): Promise<number> {
  const message = new Uint8Array(5).fill(WIRE_COMMANDS.produce)
  new DataView(message.buffer).setUint32(1, count)
  const started = performance.now()
  await wire.exchange(message)
  return performance.now() - started
}

/** Puts messages together from chunks as they come. Keeps chunks as they are until a message is whole. */
export class MessageReader {
  readonly #onMessage: (message: Uint8Array) => void
  #chunks: Uint8Array[] = []
  #bytes = 0

  constructor(onMessage: (message: Uint8Array) => void) {
    this.#onMessage = onMessage
  }

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.byteLength
    while (this.#bytes >= 4) {
      if (this.#chunks[0]!.byteLength < 4) this.#chunks = [Buffer.concat(this.#chunks)]
      const first = this.#chunks[0]!
      const length = Buffer.from(first.buffer, first.byteOffset, 4).readUInt32BE(0)
      if (this.#bytes < 4 + length) return
      const whole = this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks)
      const rest = whole.subarray(4 + length)
      this.#chunks = rest.byteLength > 0 ? [rest] : []
      this.#bytes = rest.byteLength
      this.#onMessage(whole.subarray(4, 4 + length))
    }
  }
}

export function frame(message: Uint8Array): Uint8Array[] {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(message.byteLength)
  return message.byteLength < 65_536 ? [Buffer.concat([length, message])] : [length, message]
}

/** What the far end of a wire does with a message. */
export function answerTo(message: Uint8Array): Uint8Array {
  switch (message[0]) {
    case WIRE_COMMANDS.swallow:
      return new Uint8Array(1)
    case WIRE_COMMANDS.produce:
      return new Uint8Array(new DataView(message.buffer, message.byteOffset).getUint32(1)).fill(7)
    default:
      return message
  }
}
