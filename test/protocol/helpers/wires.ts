import { HandshakeError } from '../../../src/protocol/errors.ts'
import type { HandshakeGuard, HandshakeWire } from '../../../src/protocol/handshake.ts'

/** One direction of a handshake in memory; `tamper` sees each message before the reader does. */
class Pipe {
  readonly #messages: Uint8Array[] = []
  readonly #tamper: (message: Uint8Array, index: number) => Uint8Array | undefined
  readonly sent: Uint8Array[] = []
  #wake: (() => void) | undefined
  #isEnded = false

  constructor(tamper: (message: Uint8Array, index: number) => Uint8Array | undefined) {
    this.#tamper = tamper
  }

  push(message: Uint8Array): void {
    this.sent.push(message)
    const passed = this.#tamper(message, this.sent.length - 1)
    if (passed === undefined) this.#isEnded = true
    else this.#messages.push(passed)
    this.#wake?.()
  }

  end(): void {
    this.#isEnded = true
    this.#wake?.()
  }

  async read(atEnd?: Error): Promise<Uint8Array> {
    for (;;) {
      const message = this.#messages.shift()
      if (message !== undefined) return message
      if (this.#isEnded) throw atEnd ?? new HandshakeError('handshake: the peer closed the stream')
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }
}

export type Tamper = (message: Uint8Array, index: number) => Uint8Array | undefined

const unchanged: Tamper = (message) => message

export interface WirePair {
  readonly dialler: HandshakeWire & { end(): void }
  readonly listener: HandshakeWire & { end(): void }
  readonly sent: { readonly dialler: Uint8Array[]; readonly listener: Uint8Array[] }
}

export function wirePair(tamper: { dialler?: Tamper; listener?: Tamper } = {}): WirePair {
  const up = new Pipe(tamper.dialler ?? unchanged)
  const down = new Pipe(tamper.listener ?? unchanged)
  return {
    dialler: {
      read: (atEnd) => down.read(atEnd),
      write: (message) => up.push(message),
      end: () => up.end()
    },
    listener: {
      read: (atEnd) => up.read(atEnd),
      write: (message) => down.push(message),
      end: () => down.end()
    },
    sent: { dialler: up.sent, listener: down.sent }
  }
}

/** Remembers what a handshake reported. */
export class RecordingGuard implements HandshakeGuard {
  readonly events: string[] = []
  begin(): void {
    this.events.push('begin')
  }
  refused(): void {
    this.events.push('refused')
  }
  exposed(): void {
    this.events.push('exposed')
  }
  proved(): void {
    this.events.push('proved')
  }
  end(): void {
    this.events.push('end')
  }
}
