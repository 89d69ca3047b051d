import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPair, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import { encode } from 'cborg'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createDistNode } from '../../src/index.ts'
import type { DistNode } from '../../src/index.ts'
import { Transport } from '../../src/node/network/transport.ts'
import { VERSION } from '../../src/node/version.ts'
import type { Channel } from '../../src/protocol/channel.ts'
import { MeshKey } from '../../src/protocol/mesh-key.ts'
import type { JobsMessage, Message } from '../../src/protocol/messages.ts'
import { openChannel } from '../../src/protocol/open-channel.ts'

// Members of the mesh that know the password and lie: they may waste time, but change no result of anybody else's and
// bring no node down.

const password = 'quiet lantern over the marsh'
const mesh = `liars-${process.pid}`
const key = await MeshKey.derive(password, mesh)

let folder = ''
const closing: (() => unknown)[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dist-node-liar-'))
  vi.stubEnv('XDG_RUNTIME_DIR', folder)
})

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})

async function startSubmitter(more: { hold?: boolean } = {}): Promise<DistNode> {
  const node = await createDistNode({
    password,
    mesh,
    slots: 0,
    ...more,
    mdns: false,
    dir: join(folder, 'state'),
    listen: ['/ip4/127.0.0.1/tcp/0']
  })
  closing.push(() => node.stop())
  return node
}

/** A member that says hello and then only what the test makes it say. */
async function joinAs(name: string, slots: number, node: DistNode): Promise<Channel> {
  const pair = await generateKeyPair('Ed25519')
  const transport = await Transport.start({
    privateKey: privateKeyToProtobuf(pair),
    listen: ['/ip4/127.0.0.1/tcp/0'],
    proofTimeoutMs: 0,
    onStream: (stream) => stream.abort(new Error('not today'))
  })
  closing.push(() => transport.stop())
  const { stream, connection } = await transport.dial(node.addresses, AbortSignal.timeout(10_000))
  const localPeer = transport.addresses()[0]!.split('/p2p/')[1]!
  const channel = await openChannel(stream, {
    key,
    role: 'dialler',
    localPeer,
    remotePeer: connection.remotePeer.toString()
  })
  const joined = new Promise<void>((resolve) => {
    node.on('peer-joined', (peer) => peer.id === localPeer && resolve())
  })
  channel.send({
    type: 'hello',
    version: VERSION,
    name,
    slots,
    sandbox: 'bwrap',
    runtime: { node: 'v26.10.0', platform: 'linux', arch: 'x64' }
  })
  await joined
  if (slots > 0) channel.send({ type: 'credit', slots, busy: 0, total: slots })
  return channel
}

/** Answers pings, and jobs as `answer` says. */
function serve(channel: Channel, answer: (message: JobsMessage) => void): Promise<void> {
  return (async () => {
    for await (const message of channel.messages()) {
      if (message.type === 'ping') channel.send({ type: 'pong', n: message.n })
      if (message.type === 'jobs') answer(message)
    }
  })().catch(() => undefined)
}

const valueOf = (job: number): string => `honest ${job}`

function answerHonestly(channel: Channel, { run, jobs }: JobsMessage): void {
  const results = jobs.map(({ job, attempt }) => ({
    job,
    attempt,
    ok: true,
    micros: 5,
    body: encode(valueOf(job))
  }))
  channel.send({ type: 'results', run, results })
}

const small = fc.nat(40)
const bytes = fc.uint8Array({ maxLength: 60 })
const hash = fc.constantFrom('00'.repeat(32), 'ab'.repeat(32))

/** Everything the protocol lets a member say, in any order, about runs and jobs that may or may not exist. */
const anyMessage: fc.Arbitrary<Message> = fc.oneof(
  fc.record({ type: fc.constant('pong' as const), n: small }),
  fc.record({ type: fc.constant('credit' as const), slots: small, busy: small, total: small }),
  fc.record({
    type: fc.constant('run-open' as const),
    run: small,
    id: fc.constant('0f'.repeat(16)),
    label: fc.string()
  }),
  fc.record({ type: fc.constant('run-close' as const), run: small }),
  fc.record({ type: fc.constant('blob' as const), run: small, hash, bytes }),
  fc.record({
    type: fc.constant('jobs' as const),
    run: small,
    timeoutMs: small,
    blobs: fc.array(hash, { maxLength: 2 }),
    jobs: fc.array(fc.record({ job: small, attempt: small, body: bytes }), { maxLength: 4 })
  }),
  fc.record({
    type: fc.constant('results' as const),
    run: small,
    results: fc.array(
      fc.record({ job: small, attempt: small, ok: fc.boolean(), micros: small, body: bytes }),
      { maxLength: 6 }
    )
  }),
  fc.record({
    type: fc.constant('log' as const),
    run: small,
    job: small,
    stream: fc.constantFrom('stdout' as const, 'stderr' as const),
    text: fc.string()
  }),
  fc.record({ type: fc.constant('cancel' as const), run: small, jobs: fc.array(small) }),
  fc.record({ type: fc.constant('recall' as const), run: small, count: small }),
  fc.record({
    type: fc.constant('recalled' as const),
    run: small,
    jobs: fc.array(fc.record({ job: small, attempt: small }), { maxLength: 4 })
  }),
  fc.record({
    type: fc.constant('peers' as const),
    peers: fc.array(
      fc.record({
        id: fc.constant('12D3KooWBKccW8NbLJDW2M4rEnPMTQUd9wSCyjFV4mdFG5ASFKRa'),
        addresses: fc.constantFrom(
          ['/ip4/8.8.8.8/tcp/53'],
          ['/dns4/evil.example/tcp/4001'],
          ['/ip4/127.0.0.1/tcp/22'],
          ['/x']
        )
      }),
      { maxLength: 3 }
    )
  }),
  fc.record({
    type: fc.constant('hello' as const),
    version: fc.constant('0.1.0'),
    name: fc.string(),
    slots: small,
    sandbox: fc.string(),
    runtime: fc.record({ node: fc.string(), platform: fc.string(), arch: fc.string() })
  })
)

const runId = fc.constantFrom('0f'.repeat(16), 'ab'.repeat(16), 'cd'.repeat(16))
const few = fc.nat(6)
const status = fc.record({
  id: runId,
  label: fc.string(),
  from: fc.string(),
  state: fc.constantFrom('waiting' as const, 'running' as const, 'finished' as const, 'failed' as const),
  jobs: small,
  succeeded: small,
  failed: small,
  ageSeconds: small,
  reason: fc.string()
})

/** The same about held runs, few enough of them that some are handed over and followed. */
const anyHeldMessage: fc.Arbitrary<Message> = fc.oneof(
  fc.record({ type: fc.constant('hold' as const), run: few, id: runId, label: fc.string() }),
  fc.record({
    type: fc.constant('hold' as const),
    run: few,
    id: runId,
    label: fc.string(),
    setup: fc.record({ body: bytes, blobs: fc.array(hash, { maxLength: 2 }) })
  }),
  fc.record({
    type: fc.constant('jobs' as const),
    run: few,
    timeoutMs: small,
    blobs: fc.constant([]),
    jobs: fc.array(fc.record({ job: few, attempt: fc.constant(1), body: bytes }), { maxLength: 3 })
  }),
  fc.record({ type: fc.constant('hold-end' as const), run: few, jobs: few }),
  fc.record({
    type: fc.constant('held' as const),
    run: few,
    state: fc.constantFrom('open' as const, 'stored' as const, 'refused' as const),
    reason: fc.string()
  }),
  fc.record({
    type: fc.constant('find-runs' as const),
    request: few,
    prefix: fc.constantFrom('', '0', 'ab')
  }),
  fc.record({
    type: fc.constant('found-runs' as const),
    request: few,
    runs: fc.array(status, { maxLength: 3 })
  }),
  fc.record({ type: fc.constant('follow' as const), run: few, id: runId, position: small }),
  fc.record({ type: fc.constant('followed' as const), run: few, status }),
  fc.record({ type: fc.constant('followed' as const), run: few }),
  fc.record({
    type: fc.constant('chunk' as const),
    run: few,
    position: small,
    places: fc.array(
      fc.record({
        id: fc.constant('12D3KooWBKccW8NbLJDW2M4rEnPMTQUd9wSCyjFV4mdFG5ASFKRa'),
        name: fc.string(),
        jobs: fc.array(small)
      }),
      { maxLength: 3 }
    )
  }),
  fc.record({ type: fc.constant('taken' as const), run: few, position: small }),
  fc.record({ type: fc.constant('cancel' as const), run: few, jobs: fc.constant([]) }),
  fc.record({ type: fc.constant('run-close' as const), run: few })
)

async function expectHonestResults(node: DistNode): Promise<void> {
  const results = []
  for await (const { index, status, value, node: name } of node.run(
    Array.from({ length: 40 }, (_, n) => () => n)
  )) {
    results.push([index, status, value, name])
  }
  expect(results.toSorted(([a], [b]) => Number(a) - Number(b))).toEqual(
    Array.from({ length: 40 }, (_, n) => [n, 'ok', valueOf(n), 'honest'])
  )
}

describe('a member that lies', () => {
  test('cannot answer jobs that were given to somebody else', async () => {
    const node = await startSubmitter()
    const [honest, liar] = [await joinAs('honest', 2, node), await joinAs('liar', 0, node)]
    const forge = (): void => {
      for (let run = 0; run < 4; run++) {
        const results = Array.from({ length: 160 }, (_, n) => ({
          job: n % 40,
          attempt: n >> 5,
          ok: n % 2 === 0,
          micros: 1,
          body: encode('forged')
        }))
        liar.send({ type: 'results', run, results })
        liar.send({ type: 'recalled', run, jobs: results.map(({ job, attempt }) => ({ job, attempt })) })
      }
    }
    void serve(liar, () => {})
    void serve(honest, (message) => {
      // The forgeries arrive while the jobs are outstanding, before the honest answer.
      forge()
      setTimeout(() => answerHonestly(honest, message), 20)
    })
    forge()
    await expectHonestResults(node)
  })

  test('cannot bring a node down with anything it may say', { timeout: 60_000 }, async () => {
    const node = await startSubmitter()
    const honest = await joinAs('honest', 2, node)
    void serve(honest, (message) => answerHonestly(honest, message))
    for (let round = 0; round < 3; round++) {
      const liar = await joinAs(`liar ${round}`, 0, node)
      void serve(liar, () => {})
      for (const message of fc.sample(anyMessage, { numRuns: 1_500, seed: 1_000 + round })) {
        // A message about credit would make it an executor that never answers: that is another test.
        if (message.type !== 'credit') liar.send(message)
        await liar.drained()
      }
      await expectHonestResults(node)
      await liar.close()
    }
    expect(node.peers.map(({ name }) => name)).toContain('honest')
  })

  test(
    'cannot bring down a node that holds runs, nor those who hand over and follow',
    { timeout: 60_000 },
    async () => {
      const node = await startSubmitter({ hold: true })
      const honest = await joinAs('honest', 2, node)
      void serve(honest, (message) => answerHonestly(honest, message))
      for (let round = 0; round < 3; round++) {
        const liar = await joinAs(`liar ${round}`, 0, node)
        void serve(liar, () => {})
        const messages = fc.sample(fc.oneof(anyHeldMessage, anyHeldMessage, anyMessage), {
          numRuns: 3_000,
          seed: round
        })
        for (const [at, message] of messages.entries()) {
          if (message.type !== 'credit' && message.type !== 'goodbye') liar.send(message)
          if (at % 20 === 0) await liar.drained()
        }
        const { id } = await node.detach(Array.from({ length: 40 }, (_, n) => () => n))
        const values: unknown[] = []
        for await (const { value } of node.attach(id, { ordered: true })) values.push(value)
        expect(values).toEqual(Array.from({ length: 40 }, (_, n) => valueOf(n)))
        await liar.close()
      }
      const files = readdirSync(join(folder, 'state', 'runs'))
      expect(
        files.filter((file) => !/^[0-9a-f]{32}\.(sqlite(-wal|-shm)?|lock(-journal)?)$/.test(file))
      ).toEqual([])
    }
  )

  test('that breaks the rules of the wire is thrown out, and others stay', async () => {
    const node = await startSubmitter()
    const honest = await joinAs('honest', 1, node)
    void serve(honest, (message) => answerHonestly(honest, message))
    const liar = await joinAs('liar', 0, node)
    const left = new Promise<void>((resolve) =>
      node.on('peer-left', ({ name }) => name === 'liar' && resolve())
    )
    void serve(liar, () => {})
    liar.send({ type: 'goodbye', reason: 'x'.repeat(300) })
    await left
    await expectHonestResults(node)
  })

  test('as an executor spoils its own answers at most, and each job has one', async () => {
    const node = await startSubmitter()
    const honest = await joinAs('honest', 2, node)
    void serve(honest, (message) => answerHonestly(honest, message))
    const liar = await joinAs('liar', 2, node)
    const bodies = [
      Buffer.alloc(5_000, 0x81),
      Buffer.from('bb7fffffffffffffff', 'hex'),
      Buffer.from('9b00000000ffffffff', 'hex'),
      encode(
        new Map<string, unknown>([
          ['__proto__', { polluted: true }],
          ['constructor', 1]
        ])
      ),
      Buffer.from('ff', 'hex'),
      Buffer.alloc(0)
    ]
    void serve(liar, ({ run, jobs }) => {
      const tell = (body: Uint8Array, ok: boolean): void => {
        const results = jobs.map(({ job, attempt }) => ({ job, attempt, ok, micros: 2 ** 40, body }))
        liar.send({ type: 'results', run, results })
      }
      for (const [at, { job, attempt }] of jobs.entries()) {
        const body = bodies[(job + at) % bodies.length]!
        liar.send({ type: 'results', run, results: [{ job, attempt, ok: job % 2 === 0, micros: 1, body }] })
      }
      // Too late, twice, of attempts that never were: the first answer has counted.
      tell(encode('second answer'), true)
      liar.send({ type: 'recalled', run, jobs: jobs.map(({ job }) => ({ job, attempt: 9 })) })
      liar.send({
        type: 'results',
        run,
        results: [{ job: 0xffff_ffff, attempt: 1, ok: true, micros: 1, body: encode(1) }]
      })
    })
    const seen = new Map<number, string>()
    for await (const result of node.run(Array.from({ length: 60 }, (_, n) => () => n))) {
      expect(seen.has(result.index)).toBe(false)
      seen.set(result.index, result.node)
      if (result.node === 'honest') expect(result.status === 'ok' && result.value).toBe(valueOf(result.index))
      else if (result.status === 'ok') expect(result.value).not.toBe('second answer')
    }
    expect(seen.size).toBe(60)
    expect(new Set(seen.values())).toEqual(new Set(['honest', 'liar']))
    expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain('polluted')
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })
})
