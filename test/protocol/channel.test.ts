import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Message } from '../../src/protocol/messages.ts'
import { MAX_UNREAD_BYTES, READ_HIGH_WATER_BYTES, WRITE_HIGH_WATER_BYTES } from '../../src/protocol/limits.ts'
import { channelPair, readAll, take } from './helpers/channels.ts'

const ping = (n: number): Message => ({ type: 'ping', n })
const resultOf = (job: number, bytes: number): Message => ({
  type: 'results',
  run: 1,
  results: [{ job, attempt: 1, ok: true, micros: 1, body: Buffer.alloc(bytes, job) }]
})
const jobOf = (run: number, job: number, bytes: number, blobs: string[] = []): Message => ({
  type: 'jobs',
  run,
  timeoutMs: 0,
  blobs,
  jobs: [{ job, attempt: 1, body: Buffer.alloc(bytes, job) }]
})
const blobOf = (run: number, bytes: number): Message => ({
  type: 'blob',
  run,
  hash: '',
  bytes: Buffer.alloc(bytes, run)
})

/** A short name for each message, to compare orders. */
function nameOf(message: Message): string {
  switch (message.type) {
    case 'jobs':
      return `job ${message.jobs.map(({ job }) => job).join(' ')}`
    case 'results':
      return `result ${message.results.map(({ job }) => job).join(' ')}`
    case 'ping':
      return `ping ${message.n}`
    default:
      return message.type
  }
}

describe('channel', () => {
  test('carries messages both ways and names who is at the other end', async () => {
    const { alice, bob } = await channelPair()
    expect([alice.remotePeer, alice.role, bob.remotePeer, bob.role, bob.epoch]).toEqual([
      'bob',
      'dialler',
      'alice',
      'listener',
      0
    ])
    alice.send(ping(1))
    bob.send(ping(2))
    expect(await take(bob.messages()[Symbol.asyncIterator](), 1)).toEqual([ping(1)])
    expect(await take(alice.messages()[Symbol.asyncIterator](), 1)).toEqual([ping(2)])
    await Promise.all([alice.close(), bob.close()])
  })

  test('a peer that asks and does not read the answers is cut off before they fill the memory', async () => {
    const { alice, bob } = await channelPair()
    const reading = readAll(alice.messages())
    let sent = 0
    const send = (): void => {
      for (; sent < 2_000; sent++) alice.send(resultOf(sent, 250_000))
    }
    expect(send).toThrow(expect.objectContaining({ code: 'CHANNEL_CLOSED' }))
    expect(sent * 250_000).toBeLessThan(MAX_UNREAD_BYTES + 1_000_000)
    await expect(reading).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' })
    await bob.close()
  })

  test('jobs and what they need may wait, however much it is', async () => {
    const { alice, bob } = await channelPair()
    for (let job = 0; job < 1_200; job++) alice.send(jobOf(1, job, 250_000))
    expect(alice.queuedBytes).toBeGreaterThan(MAX_UNREAD_BYTES)
    alice.abort(new Error('enough'))
    await bob.close()
  })

  test('messages of one tick leave in one write', async () => {
    const { alice, bob, streams } = await channelPair()
    let writes = 0
    const send = streams.alice.send.bind(streams.alice)
    streams.alice.send = (data) => {
      writes++
      return send(data)
    }
    for (let n = 0; n < 50; n++) alice.send(ping(n))
    await Promise.resolve().then(() => alice.send(ping(50)))
    const received = await take(bob.messages()[Symbol.asyncIterator](), 51)
    expect(received).toEqual(Array.from({ length: 51 }, (_, n) => ping(n)))
    expect(writes).toBe(1)
    await Promise.all([alice.close(), bob.close()])
  })

  test('large bodies arrive unharmed, whatever their size', async () => {
    const { alice, bob } = await channelPair()
    const sizes = [262_000, 262_144, 262_145, 524_288, 1_000_001]
    for (const [job, size] of sizes.entries()) alice.send(jobOf(1, job, size))
    const received = await take(bob.messages()[Symbol.asyncIterator](), sizes.length)
    const bodies = received.flatMap((message) => (message.type === 'jobs' ? message.jobs : []))
    for (const { job, body } of bodies) {
      expect(body.byteLength).toBe(sizes[job])
      expect(body.every((byte) => byte === job)).toBe(true)
    }
    expect(bodies.length).toBe(sizes.length)
    await Promise.all([alice.close(), bob.close()])
  })

  test('a small result is not held back by a large one', async () => {
    const { alice, bob } = await channelPair()
    const messages = bob.messages()[Symbol.asyncIterator]()
    alice.send(resultOf(1, 64 * 1024 * 1024))
    await nextTurn()
    alice.send(resultOf(2, 10))
    alice.send(ping(1))
    expect((await take(messages, 3)).map(nameOf)).toEqual(['ping 1', 'result 2', 'result 1'])
    await Promise.all([alice.close(), bob.close()])
  })

  test('large messages take turns', async () => {
    const { alice, bob } = await channelPair()
    const messages = bob.messages()[Symbol.asyncIterator]()
    alice.send(resultOf(1, 8 * 1024 * 1024))
    alice.send(resultOf(2, 1024 * 1024))
    expect((await take(messages, 2)).map(nameOf)).toEqual(['result 2', 'result 1'])
    await Promise.all([alice.close(), bob.close()])
  })

  test('what a run needs arrives before its jobs, and its end after them', async () => {
    const { alice, bob } = await channelPair()
    const messages = bob.messages()[Symbol.asyncIterator]()
    alice.send({ type: 'run-open', run: 1, id: '00'.repeat(16), label: '' })
    alice.send(blobOf(1, 2_000_000))
    alice.send(jobOf(1, 1, 10))
    alice.send(jobOf(1, 2, 1_000_000))
    alice.send(jobOf(1, 3, 10))
    alice.send({ type: 'run-close', run: 1 })
    alice.send(jobOf(2, 9, 10))
    const order = (await take(messages, 7)).map(nameOf)
    // Run 2 waits for nothing of run 1; job 3 may overtake the larger job 2.
    expect(order).toEqual(['run-open', 'job 9', 'blob', 'job 1', 'job 3', 'job 2', 'run-close'])
    await Promise.all([alice.close(), bob.close()])
  })

  test('a reader that does not read holds the writer back, and loses nothing', async () => {
    const { alice, bob, streams } = await channelPair()
    const total = 64
    let sent = 0
    const sending = (async () => {
      for (; sent < total; sent++) {
        alice.send(resultOf(sent, 256 * 1024 - 100))
        await alice.drained()
      }
    })()
    // Wait until nothing moves any more.
    for (let before = -1; before !== sent;) {
      before = sent
      for (let turn = 0; turn < 50; turn++) await nextTurn()
    }
    expect(alice.queuedBytes).toBeLessThan(WRITE_HIGH_WATER_BYTES + 2 * 256 * 1024)
    expect(streams.bob.readBufferLength).toBeLessThan(streams.bob.maxReadBufferLength)
    const received = await take(bob.messages()[Symbol.asyncIterator](), total)
    await sending
    expect(received.map(nameOf)).toEqual(Array.from({ length: total }, (_, job) => `result ${job}`))
    expect(READ_HIGH_WATER_BYTES).toBeLessThan(streams.bob.maxReadBufferLength)
    await Promise.all([alice.close(), bob.close()])
  })

  test('close sends what is queued, then ends both sides', async () => {
    const { alice, bob, streams } = await channelPair()
    const reading = readAll(bob.messages())
    for (let job = 0; job < 5; job++) alice.send(resultOf(job, 500_000))
    await alice.close()
    expect((await reading).length).toBe(5)
    expect([streams.alice.status, streams.bob.status]).toEqual(['closed', 'closed'])
    for (const channel of [alice, bob]) {
      expect(() => channel.send(ping(1))).toThrow(expect.objectContaining({ code: 'CHANNEL_CLOSED' }))
      await channel.drained()
      await channel.close()
    }
  })

  test('abort is an error at both ends', async () => {
    const { alice, bob } = await channelPair()
    const reading = [alice, bob].map(async (channel) => readAll(channel.messages()))
    alice.abort(new Error('enough'))
    const results = await Promise.allSettled(reading)
    expect(
      results.map((result) => result.status === 'rejected' && (result.reason as { code: string }).code)
    ).toEqual(['CHANNEL_CLOSED', 'CHANNEL_CLOSED'])
  })

  test.each([
    ['garbage', Buffer.alloc(200, 0xee)],
    ['an unsigned frame', Buffer.concat([Buffer.of(0, 0, 0, 44, 2), Buffer.alloc(43)])],
    ['a length of 2^31', Buffer.of(0x80, 0, 0, 0, 64)]
  ])('%s from the peer cuts the stream', async (_, bytes) => {
    const { alice, bob, streams } = await channelPair()
    streams.alice.send(bytes)
    const seen: Message[] = []
    await expect(
      (async () => {
        for await (const message of bob.messages()) seen.push(message)
      })()
    ).rejects.toMatchObject({ code: 'FRAME_INVALID' })
    expect(seen).toEqual([])
    expect(streams.bob.status).toBe('aborted')
    await expect(readAll(alice.messages())).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' })
  })

  test('a peer that closes inside a frame broke the protocol', async () => {
    const { bob, streams } = await channelPair()
    streams.alice.send(Buffer.of(0, 0, 0, 60, 2))
    await streams.alice.close()
    await expect(readAll(bob.messages())).rejects.toMatchObject({ code: 'FRAME_INVALID' })
  })
})
