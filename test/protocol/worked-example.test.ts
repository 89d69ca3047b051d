import { scryptSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Uint8ArrayList } from 'uint8arraylist'
import { expect, test } from 'vitest'
import { decodeMessage } from '../../src/protocol/decode.ts'
import { encodeMessage } from '../../src/protocol/encode.ts'
import { proveAsDialler, proveAsListener } from '../../src/protocol/handshake.ts'
import type { Message } from '../../src/protocol/messages.ts'
import { OutgoingTransfer } from '../../src/protocol/parts.ts'
import { Opener, Sealer } from '../../src/protocol/seal.ts'
import { meshKey } from './helpers/keys.ts'
import { RecordingGuard, wirePair } from './helpers/wires.ts'

// Replays the worked example of PROTOCOL.md byte by byte: what the document says is what the code does.

const text = readFileSync(new URL('../../PROTOCOL.md', import.meta.url), 'utf8')

const DIALLER = '12D3KooWBKccW8NbLJDW2M4rEnPMTQUd9wSCyjFV4mdFG5ASFKRa'
const LISTENER = '12D3KooWLRPJAA5o6jyTm9AoVzpSCZF9WvQBLB7DhNwTqEiWkVvX'

/** Lines `name = hex`, the hex going on in the lines below that begin with a space. */
function readExample(): Map<string, string> {
  const values = new Map<string, string>()
  for (const [, block = ''] of text.matchAll(/```example\n([\s\S]*?)```/g)) {
    for (const [, name = '', hex = ''] of block.matchAll(/^([A-Za-z][\w ]*?) += ([0-9a-f][0-9a-f\s]*)$/gm)) {
      values.set(name, hex.replaceAll(/\s/g, ''))
    }
  }
  return values
}

/** "Random" bytes that count up from a start, so that anybody can repeat them. */
function counting(start: number): (bytes: number) => Uint8Array {
  let next = start
  return (bytes) => Uint8Array.from({ length: bytes }, () => next++)
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

async function computeExample(): Promise<Map<string, string>> {
  const values = new Map<string, string>()
  const salt = 'dist-node/prs/v1\0default'
  const prs = scryptSync('correct horse battery staple', salt, 32, { N: 32_768, r: 8, p: 1, maxmem: 2 ** 26 })
  values.set('PRS', hex(prs))

  const wires = wirePair()
  const names = { dialler: DIALLER, listener: LISTENER, guard: new RecordingGuard() }
  const [dialler, listener] = await Promise.all([
    proveAsDialler(wires.dialler, meshKey, { ...names, random: counting(0x00) }),
    proveAsListener(wires.listener, [meshKey], { ...names, random: counting(0x40) })
  ])
  const [m1, m3] = wires.sent.dialler as [Uint8Array, Uint8Array]
  const [m2, m4] = wires.sent.listener as [Uint8Array, Uint8Array]
  for (const [name, message] of Object.entries({ M1: m1, M2: m2, M3: m3, M4: m4 }))
    values.set(name, hex(message))
  values.set('frame key D to L', hex(dialler.send.frame.export()))
  values.set('part key D to L', hex(dialler.send.part.export()))
  values.set('frame key L to D', hex(listener.send.frame.export()))
  values.set('part key L to D', hex(listener.send.part.export()))

  const [up, down] = [new Sealer(dialler.send), new Sealer(listener.send)]
  const [upOpener, downOpener] = [new Opener(listener.receive), new Opener(dialler.receive)]
  const send = (name: string, sealer: Sealer, opener: Opener, message: Message): void => {
    const [encoded] = encodeMessage(message)
    if (encoded?.kind !== 'frame') throw new Error('the example uses small messages')
    sealer.seal(encoded.type, encoded.frame)
    values.set(name, hex(encoded.frame))
    expect(decodeMessage(opener.open(new Uint8ArrayList(encoded.frame)))).toMatchObject({
      type: message.type
    })
  }
  send('hello', up, upOpener, {
    type: 'hello',
    version: '0.1.0',
    name: 'alice',
    slots: 0,
    sandbox: 'none',
    runtime: { node: 'v26.10.0', platform: 'linux', arch: 'x64' }
  })
  send('credit', down, downOpener, { type: 'credit', slots: 2, busy: 0, total: 2 })
  send('run open', up, upOpener, {
    type: 'run-open',
    run: 1,
    id: '000102030405060708090a0b0c0d0e0f',
    label: 'jobs.ts'
  })
  send('blob', up, upOpener, { type: 'blob', run: 1, hash: '', bytes: Buffer.from('unit') })
  const unit = '385cfdbc00ec32031699460779c15099b2bba3cad0e440fffb08e10df0acb9e1'
  send('jobs', up, upOpener, {
    type: 'jobs',
    run: 1,
    timeoutMs: 30_000,
    blobs: [unit],
    jobs: [
      { job: 0, attempt: 1, body: Buffer.from('a') },
      { job: 1, attempt: 1, body: Buffer.from('bc') }
    ]
  })
  send('results', down, downOpener, {
    type: 'results',
    run: 1,
    results: [
      { job: 1, attempt: 1, ok: true, micros: 1_500, body: Buffer.from('value') },
      { job: 0, attempt: 1, ok: false, code: 'JOB_TIMEOUT', micros: 30_000_000, body: Buffer.alloc(0) }
    ]
  })
  const transfer = new OutgoingTransfer(1, 64, [Buffer.from('00000001', 'hex'), Buffer.from('unit')], 8)
  for (const name of ['part 1', 'part 2']) {
    const { head, bytes } = transfer.next()
    const frame = up.sealPart(head, bytes)
    values.set(name, hex(frame.subarray()))
    upOpener.open(frame)
  }
  const held = 'a0a1a2a3a4a5a6a7a8a9aaabacadaeaf'
  send('hold', up, upOpener, { type: 'hold', run: 2, id: held, label: 'jobs.ts' })
  send('hold end', up, upOpener, { type: 'hold-end', run: 2, jobs: 0 })
  send('held', down, downOpener, { type: 'held', run: 2, state: 'stored', reason: '' })
  send('follow', up, upOpener, { type: 'follow', run: 3, id: held, position: 512 })
  send('chunk', down, downOpener, {
    type: 'chunk',
    run: 3,
    position: 512,
    places: [{ id: LISTENER, name: 'bob', jobs: [7, 3] }]
  })
  send('taken', up, upOpener, { type: 'taken', run: 3, position: 514 })
  return values
}

test('the worked example of PROTOCOL.md is what the code does', async () => {
  const computed = await computeExample()
  const written = readExample()
  expect(Object.fromEntries(written)).toEqual(Object.fromEntries(computed))
})
