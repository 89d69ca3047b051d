/**
 * A live, authenticated conversation with one peer: the first words on both sides, then heartbeats beside whatever
 * submitter and executor have to say.
 */
import type { Channel } from '../../protocol/channel.ts'
import { ChannelClosedError, HandshakeError, VersionError } from '../../protocol/errors.ts'
import type { HelloMessage, Message } from '../../protocol/messages.ts'
import type { Link, PeerId } from '../link.ts'
import { Liveness } from './liveness.ts'

/** The first message of the other side must be here by then. */
const HELLO_TIMEOUT_MS = 6_000

/** Round-trip times kept, and taken one after another when it matters: the first fall into the start of a process. */
const RTT_SAMPLES = 8

/** Messages that do not tell of work between the two. */
const BESIDE_WORK: ReadonlySet<Message['type']> = new Set([
  'hello',
  'ping',
  'pong',
  'peers',
  'credit',
  'goodbye'
])

/** The goodbye of a session that gives way to another one of the same two peers. */
const REPLACED = 'replaced by another connection'

/** Why a session ended. */
export type SessionEnd =
  | { readonly kind: 'left'; readonly reason: string }
  | { readonly kind: 'lost'; readonly reason: string }
  | { readonly kind: 'replaced' }

export interface SessionHandler {
  /** A promise holds the peer back until it resolves. */
  onMessage(message: Message): Promise<void> | undefined
  onRtt(rttMs: number): void
}

export class Session implements Link {
  readonly peer: PeerId
  readonly name: string
  readonly hello: HelloMessage
  /** Where the peer is, as this node sees it. */
  readonly address: string
  readonly openedMs = performance.now()
  /** Who opened the connection. */
  readonly dialler: PeerId
  /** Which password of the mesh the peer proved. */
  readonly epoch: number
  readonly #channel: Channel
  readonly #incoming: AsyncIterator<Message>
  readonly #rtts: number[] = []
  readonly #liveness = new Liveness(performance.now())
  #goodbye: string | undefined
  #silence: string | undefined
  #replaced = false
  #isMeasuring = false

  private constructor(init: {
    channel: Channel
    incoming: AsyncIterator<Message>
    hello: HelloMessage
    address: string
    dialler: PeerId
  }) {
    this.peer = init.channel.remotePeer
    this.epoch = init.channel.epoch
    this.name = init.hello.name
    this.hello = init.hello
    this.address = init.address
    this.dialler = init.dialler
    this.#channel = init.channel
    this.#incoming = init.incoming
  }

  /** Exchanges hellos. @throws {VersionError} when the other side is of another major version */
  static async open(
    channel: Channel,
    self: HelloMessage,
    where: { address: string; localPeer: PeerId }
  ): Promise<Session> {
    channel.send(self)
    const incoming = channel.messages()[Symbol.asyncIterator]()
    const timer = setTimeout(
      () => channel.abort(new HandshakeError(`no hello within ${HELLO_TIMEOUT_MS / 1000} s`)),
      HELLO_TIMEOUT_MS
    )
    try {
      const first = await incoming.next()
      if (first.done === true) throw new HandshakeError('the peer closed the stream before its hello')
      const hello = first.value
      if (hello.type !== 'hello')
        throw new HandshakeError(`expected hello as the first message, got ${hello.type}`)
      const refusal = versionRefusal(self.version, hello.version)
      if (refusal !== undefined) {
        channel.send({ type: 'goodbye', reason: refusal })
        throw new VersionError(refusal)
      }
      const dialler = channel.role === 'dialler' ? where.localPeer : channel.remotePeer
      return new Session({ channel, incoming, hello, address: where.address, dialler })
    } catch (error) {
      await channel.close()
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  /** Round-trip time in milliseconds, the least of the last few, because all else is waiting; 1 before the first. */
  get rttMs(): number {
    return this.#rtts.length === 0 ? 1 : Math.min(...this.#rtts)
  }

  get queuedBytes(): number {
    return this.#channel.queuedBytes
  }

  send(message: Message): void {
    if (!BESIDE_WORK.has(message.type)) this.#liveness.onWork(performance.now())
    try {
      this.#channel.send(message)
    } catch (error) {
      // A channel that has just closed: `run` is about to end and tells everybody.
      if (!(error instanceof ChannelClosedError)) throw error
    }
  }

  drained(): Promise<void> {
    return this.#channel.drained()
  }

  measure(): void {
    if (this.#isMeasuring || this.#rtts.length >= RTT_SAMPLES) return
    this.#isMeasuring = true
    if (!this.#liveness.isAsking) this.#ping()
  }

  /** Reads until the conversation ends, and says why it did. */
  async run(handler: SessionHandler): Promise<SessionEnd> {
    this.#ping()
    try {
      for (let next = await this.#incoming.next(); next.done !== true; next = await this.#incoming.next()) {
        this.#liveness.onHeard(performance.now())
        const held = this.#onMessage(next.value, handler)
        if (held !== undefined) await held
      }
      return this.#end('closed the connection')
    } catch (error) {
      return this.#end(error instanceof Error ? error.message : String(error))
    }
  }

  /** Ends the conversation in favour of another one with the same peer. */
  async replace(): Promise<void> {
    this.#replaced = true
    await this.close(REPLACED)
  }

  /** Says goodbye and waits until everything queued has left. */
  async close(reason: string): Promise<void> {
    this.send({ type: 'goodbye', reason })
    await this.#channel.close()
  }

  #onMessage(message: Message, handler: SessionHandler): Promise<void> | undefined {
    switch (message.type) {
      case 'ping':
        this.send({ type: 'pong', n: message.n })
        return undefined
      case 'pong':
        this.#onPong(message.n, handler)
        return undefined
      case 'goodbye':
        this.#goodbye = message.reason
        return undefined
      default:
        if (!BESIDE_WORK.has(message.type)) this.#liveness.onWork(performance.now())
        return handler.onMessage(message)
    }
  }

  /** For how long the peer has owed a sign of life it was asked for, in milliseconds; 0 while it owes none. */
  get silentMs(): number {
    return this.#liveness.silentMs(performance.now())
  }

  /** Somebody looks: asks for a sign of life if there was none for so long. */
  probe(afterMs: number): void {
    const nowMs = performance.now()
    this.#liveness.onWork(nowMs)
    if (this.#liveness.quietMs(nowMs) >= afterMs) this.#ping()
  }

  /**
   * Looks whether the peer is still there; to be called every second.
   *
   * @param peers how many this node is connected to
   */
  beat(peers: number): void {
    const nowMs = performance.now()
    const state = this.#liveness.beat(nowMs, peers)
    if (state === 'gone') {
      this.#silence = `silent for ${Math.round(this.#liveness.quietMs(nowMs) / 1000)} s`
      this.#channel.abort(new Error(this.#silence))
    } else if (state === 'ask' || this.#rtts.length === 0) this.#ping()
  }

  #ping(): void {
    this.send({ type: 'ping', n: this.#liveness.onPing(performance.now()) })
  }

  #onPong(n: number, handler: SessionHandler): void {
    const rttMs = this.#liveness.onPong(n, performance.now())
    if (rttMs === undefined) return
    this.#rtts.push(rttMs)
    if (this.#rtts.length > RTT_SAMPLES) this.#rtts.shift()
    handler.onRtt(this.rttMs)
    if (this.#rtts.length >= RTT_SAMPLES) this.#isMeasuring = false
    if (this.#isMeasuring) this.#ping()
  }

  #end(reason: string): SessionEnd {
    if (this.#replaced || this.#goodbye === REPLACED) return { kind: 'replaced' }
    if (this.#goodbye !== undefined) return { kind: 'left', reason: this.#goodbye }
    return { kind: 'lost', reason: this.#silence ?? reason }
  }
}

/** Same major version: work together. Before 1.0 the minor version counts as major. */
export function versionRefusal(ours: string, theirs: string): string | undefined {
  const line = (version: string): string => {
    const [major = '', minor = ''] = version.split('.')
    return major === '0' ? `0.${minor}` : major
  }
  if (line(ours) === line(theirs)) return undefined
  return `versions do not fit: ${ours} here, ${theirs} there; update the older one`
}
