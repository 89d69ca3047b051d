/** Who asks the mesh for runs: what holders answer, however often, costs one answer of each. */
import { expect, test } from 'vitest'
import { HeldClient } from '../../src/node/held/held-client.ts'
import { findHeldRun, listHeldRuns } from '../../src/node/held/held-find.ts'
import type { Link } from '../../src/node/link.ts'
import type { HeldRunStatus } from '../../src/protocol/held-messages.ts'
import type { Message } from '../../src/protocol/messages.ts'

const id = (n: number): string => n.toString(16).padStart(32, 'a')

const run = (n: number): HeldRunStatus => ({
  id: id(n),
  label: '',
  from: '',
  state: 'running',
  jobs: 1,
  succeeded: 0,
  failed: 0,
  ageSeconds: 0,
  reason: ''
})

function start(): HeldClient {
  let number = 0
  return new HeldClient(() => ++number)
}

/** Answers every question with these, one after the other. */
function addHolder(client: HeldClient, name: string, ...answers: HeldRunStatus[][]): Link {
  const link: Link = {
    peer: name,
    name,
    queuedBytes: 0,
    drained: async () => undefined,
    send(message: Message) {
      if (message.type !== 'find-runs') return
      const { request } = message
      queueMicrotask(() => {
        for (const runs of answers) client.onMessage(link, { type: 'found-runs', request, runs })
      })
    }
  }
  client.addHolder({ link, slots: 1, isSameHost: () => false })
  return link
}

test('each holder has one answer', async () => {
  const client = start()
  addHolder(client, 'attic', [run(1), run(2)], [run(3)], [run(4)])
  addHolder(client, 'kitchen', [run(5)])
  const listed = await listHeldRuns(client, { waitMs: 20 })
  expect(listed.map(({ id, holder }) => [id, holder])).toEqual([
    [id(1), 'attic'],
    [id(2), 'attic'],
    [id(5), 'kitchen']
  ])
})

test('answers to another question, and of nobody who was asked, do not count', async () => {
  const client = start()
  const stranger = addHolder(start(), 'stranger')
  addHolder(client, 'attic')
  const listed = listHeldRuns(client, { waitMs: 20 })
  client.onMessage(stranger, { type: 'found-runs', request: 1, runs: [run(1)] })
  client.onMessage([...client.holders][0]!.link, { type: 'found-runs', request: 7, runs: [run(2)] })
  expect(await listed).toEqual([])
})

test('a beginning that fits runs of two holders is ambiguous, though the second answers later', async () => {
  const client = start()
  addHolder(client, 'attic', [run(1)])
  const found = findHeldRun(client, 'aa', { waitMs: 5_000 })
  queueMicrotask(() => addHolder(client, 'kitchen', [run(2)]))
  await expect(found).rejects.toThrow(/2 runs begin like that/)
})
