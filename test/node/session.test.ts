import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Heartbeat } from '../../src/node/network/heartbeat.ts'
import { Session } from '../../src/node/network/session.ts'
import type { Channel } from '../../src/protocol/channel.ts'
import type { Message } from '../../src/protocol/messages.ts'

const runtime = { node: '26.0.0', platform: 'linux', arch: 'x64' }
const hello = { type: 'hello', version: '0.1.0', name: 'z', slots: 1, sandbox: 'none', runtime } as const

/** A conversation whose other side answers pings until its cable is pulled. */
async function talk(): Promise<{
  session: Session
  pings: () => number
  pull: () => void
  plug: () => void
}> {
  const waiting: Message[] = [hello]
  const ends = { error: undefined as Error | undefined, pulled: false, pings: 0 }
  let news = Promise.withResolvers<void>()
  const hear = (message?: Message): void => {
    if (message !== undefined) waiting.push(message)
    news.resolve()
  }
  async function* messages(): AsyncGenerator<Message> {
    for (;;) {
      if (ends.error !== undefined) throw ends.error
      const next = waiting.shift()
      if (next !== undefined) yield next
      else {
        await news.promise
        news = Promise.withResolvers()
      }
    }
  }
  const channel = {
    remotePeer: 'z',
    role: 'dialler',
    epoch: 0,
    messages,
    send(message: Message) {
      if (message.type !== 'ping') return
      ends.pings++
      if (!ends.pulled) hear({ type: 'pong', n: message.n })
    },
    abort(error: Error) {
      ends.error = error
      hear()
    },
    close: () => Promise.resolve()
  } as unknown as Channel
  const session = await Session.open(channel, hello, { address: '/ip4/10.0.0.2/tcp/4001', localPeer: 'a' })
  return {
    session,
    pings: () => ends.pings,
    pull: () => void (ends.pulled = true),
    plug: () => void (ends.pulled = false)
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

const quiet = { onMessage: () => undefined, onRtt: () => undefined }

describe('whether a peer is still there', () => {
  test('while nobody looks it is seldom asked, and is gone after ten seconds of silence', async () => {
    const { session, pings, pull } = await talk()
    const heartbeat = new Heartbeat(() => [session])
    const end = session.run(quiet)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(pings()).toBeLessThan(10)
    expect(session.silentMs).toBe(0)
    pull()
    await vi.advanceTimersByTimeAsync(12_000)
    expect(await end).toEqual({
      kind: 'lost',
      reason: expect.stringMatching(/^silent for 1[01] s$/) as string
    })
    heartbeat.close()
  })

  test('while somebody looks, its silence shows within a second, and so does its return', async () => {
    const { session, pull, plug, pings } = await talk()
    const heartbeat = new Heartbeat(() => [session])
    void session.run(quiet)
    const look = setInterval(() => heartbeat.attend(), 250)
    await vi.advanceTimersByTimeAsync(5_130)
    expect(session.silentMs).toBe(0)
    pull()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(session.silentMs).toBeGreaterThan(0)
    await vi.advanceTimersByTimeAsync(2_000)
    expect(session.silentMs).toBeGreaterThan(2_000)
    plug()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(session.silentMs).toBe(0)
    clearInterval(look)
    await vi.advanceTimersByTimeAsync(3_000)
    const asked = pings()
    await vi.advanceTimersByTimeAsync(7_000)
    expect(pings() - asked).toBeLessThanOrEqual(1)
    heartbeat.close()
  })

  test('a process that was stopped itself charges nobody with silence', async () => {
    const { session, pull } = await talk()
    const heartbeat = new Heartbeat(() => [session])
    void session.run(quiet)
    await vi.advanceTimersByTimeAsync(2_000)
    pull()
    session.probe(0)
    heartbeat.close()
    await vi.advanceTimersByTimeAsync(20_000)
    session.beat(1)
    expect(session.silentMs).toBe(0)
  })
})
