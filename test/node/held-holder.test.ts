/** A holder with its disk: what members say to it, what it says to them, and what it makes of damage. */
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { JournalError } from '../../src/journal/errors.ts'
import { RunStore } from '../../src/journal/run-store.ts'
import { RunsFolder } from '../../src/journal/runs-folder.ts'
import { MeshError } from '../../src/node/errors.ts'
import { MAX_SILENCE_MS } from '../../src/node/held/held-limits.ts'
import { Holder } from '../../src/node/held/holder.ts'
import type { Link } from '../../src/node/link.ts'
import type { Run, Settlement } from '../../src/node/run/run.ts'
import type { PrintedTask } from '../../src/node/run/task-printer.ts'
import type { TaskSource } from '../../src/node/run/task-source.ts'
import type { HeldRunStatus } from '../../src/protocol/held-messages.ts'
import type { Message } from '../../src/protocol/messages.ts'

const ID = 'ab'.repeat(16)
const PEER = '12D3KooWBKccW8NbLJDW2M4rEnPMTQUd9wSCyjFV4mdFG5ASFKRa'
const unit = Buffer.from('unit')
const unitHash = createHash('sha256').update(unit).digest('hex')

/** A peer as a holder sees it: what was sent to it stays here. */
class FakeLink implements Link {
  readonly peer: string
  readonly name = 'kitchen'
  readonly received: Message[] = []
  readonly #watchers = new Set<() => void>()
  queuedBytes = 0

  constructor(peer: string = PEER) {
    this.peer = peer
  }

  send(message: Message): void {
    this.received.push(message)
    for (const look of this.#watchers) look()
  }

  async drained(): Promise<void> {}

  of<T extends Message['type']>(type: T): Extract<Message, { type: T }>[] {
    return this.received.filter((message) => message.type === type) as Extract<Message, { type: T }>[]
  }

  get results(): number[] {
    return this.of('results').flatMap(({ results }) => results.map(({ job }) => job))
  }

  get state(): HeldRunStatus['state'] | undefined {
    return this.of('followed').at(-1)?.status?.state
  }

  async until(isTrue: () => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const look = (): void => void (isTrue() && resolve())
    this.#watchers.add(look)
    look()
    await promise
    this.#watchers.delete(look)
  }
}

/** Stands for the mesh: runs the jobs of a held run, here by giving back their bodies, `bytesEach` times as long. */
class FakeMesh {
  readonly executed: number[] = []
  readonly blobs: Uint8Array[] = []
  /** Stops short after so many jobs, as if the mesh had gone silent. */
  limit = Infinity
  bytesEach = 1
  peerOf = (_job: number): string => PEER

  readonly #fails: ((error: unknown) => void)[] = []

  readonly start = (source: TaskSource): Run<unknown> => {
    const ended = Promise.withResolvers<never>()
    ended.promise.catch(() => undefined)
    this.#fails.push(ended.reject)
    const settlements = this.#settlements(source, ended.promise)
    return {
      settlements: () => settlements,
      fail: (error: unknown) => ended.reject(error)
    } as unknown as Run<unknown>
  }

  stop(): void {
    for (const fail of this.#fails) fail(new MeshError('MESH_STOPPED', 'the node was stopped'))
  }

  async *#settlements(source: TaskSource, ended: Promise<never>): AsyncGenerator<readonly Settlement[]> {
    await source.open()
    for (let isAtEnd = false; !isAtEnd;) {
      const tasks: PrintedTask[] = []
      isAtEnd = await source.read(Math.min(10, this.limit - this.executed.length), {
        isOpen: true,
        add: (more) => tasks.push(...more)
      })
      for (const { units } of tasks) this.blobs.push(...units.map((hash) => source.blob(hash)))
      this.executed.push(...tasks.map(({ index }) => index))
      yield tasks.map(({ index, body }) => ({
        index,
        peer: this.peerOf(index),
        node: 'attic',
        outcome: { job: index, attempt: 1, ok: true, micros: 1.5, body: Buffer.alloc(this.bytesEach, body) }
      }))
      if (!isAtEnd && this.executed.length >= this.limit) await ended
    }
  }
}

let folder: string
let mesh: FakeMesh
let holder: Holder
let link: FakeLink
const warnings: string[] = []

function startHolder(): Holder {
  mesh = new FakeMesh()
  return new Holder({
    folder: new RunsFolder(folder),
    self: { peer: PEER, node: 'holder' },
    start: (source) => mesh.start(source),
    onWarning: (message) => warnings.push(message)
  })
}

async function stopHolder(): Promise<void> {
  holder.removeLink(link)
  mesh.stop()
  await holder.close()
}

/** The same node, started again. */
function restartHolder(): void {
  holder = startHolder()
  holder.restore()
  holder.addLink(link)
  link.received.length = 0
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dist-node-held-'))
  holder = startHolder()
  link = new FakeLink()
  holder.addLink(link)
  warnings.length = 0
})

afterEach(async () => {
  await stopHolder()
  await rm(folder, { recursive: true })
})

function say(...messages: Message[]): void {
  for (const message of messages) holder.onMessage(link, message)
}

const hold = (run = 1, id = ID): Message => ({ type: 'hold', run, id, label: 'jobs.ts' })
const blob: Message = { type: 'blob', run: 1, hash: unitHash, bytes: unit }
const jobs = (from: number, to: number, more: object = {}): Message => ({
  type: 'jobs',
  run: 1,
  timeoutMs: 0,
  blobs: [unitHash],
  jobs: Array.from({ length: to - from }, (_, at) => ({
    job: from + at,
    attempt: 1,
    body: Buffer.from([at % 256])
  })),
  ...more
})
const end = (count: number): Message => ({ type: 'hold-end', run: 1, jobs: count })
const follow = (run = 2, position = 0, id = ID): Message => ({ type: 'follow', run, id, position })

const runFiles = async (): Promise<string[]> =>
  (await readdir(join(folder, 'runs')).catch(() => [])).filter((name) => name.endsWith('.sqlite'))

/** Hands over a run of so many jobs. */
function handOver(count: number): void {
  say(hold(), blob, jobs(0, count), end(count))
  expect(link.of('held').map(({ state }) => state)).toEqual(['open', 'stored'])
}

/** Takes results as they come, until the run has ended. */
async function followToEnd(run: number, position = 0): Promise<number[]> {
  say(follow(run, position))
  let told = position
  await link.until(() => {
    const last = link.of('chunk').at(-1)
    const end =
      last === undefined ? 0 : last.position + last.places.reduce((sum, { jobs }) => sum + jobs.length, 0)
    if (last?.run === run && end > told) queueMicrotask(() => say({ type: 'taken', run, position: end }))
    told = Math.max(told, end)
    const status = link.of('followed').findLast((message) => message.run === run)?.status
    return status?.state === 'finished' && told >= status.succeeded + status.failed
  })
  return link
    .of('results')
    .filter((message) => message.run === run)
    .flatMap(({ results }) => results.map(({ job }) => job))
}

const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, at) => from + at)

test('a run is taken, run, and followed from wherever one likes', async () => {
  handOver(500)
  expect(await followToEnd(2)).toEqual(numbers(0, 500))
  expect(await followToEnd(3, 480)).toEqual(numbers(480, 500))
  expect(mesh.executed).toEqual(numbers(0, 500))
  expect(mesh.blobs.every((bytes) => Buffer.from(bytes).equals(unit))).toBe(true)
  expect(link.of('chunk')[0]!.places[0]).toMatchObject({ id: PEER, name: 'attic' })
  say({ type: 'find-runs', request: 9, prefix: 'aba' })
  await link.until(() => link.of('found-runs').length > 0)
  expect(link.of('found-runs')[0]).toMatchObject({
    request: 9,
    runs: [
      { id: ID, label: 'jobs.ts', from: 'kitchen', state: 'finished', jobs: 500, succeeded: 500, failed: 0 }
    ]
  })
})

test.each([
  ['jobs before their code', () => say(hold(), jobs(0, 1)), /before the code/],
  ['a job twice', () => say(hold(), blob, jobs(0, 2), jobs(1, 2)), /came twice/],
  ['jobs missing', () => say(hold(), blob, jobs(1, 2), end(1)), /expected jobs 0 to 0/],
  ['an id that is taken', () => say(hold(), blob, end(0), hold(7)), /has a run of this id/]
])('%s: refused', async (_, act, reason) => {
  act()
  expect(link.of('held').at(-1)).toMatchObject({ state: 'refused', reason: expect.stringMatching(reason) })
})

test('what is refused, broken off or taken back leaves nothing on the disk, and what still comes of it is dropped', async () => {
  say(hold(), jobs(0, 1), blob, jobs(0, 1), end(1))
  expect(link.of('held').map(({ state }) => state)).toEqual(['open', 'refused'])
  say({ type: 'run-close', run: 1 }, hold(), blob, { type: 'run-close', run: 1 })
  expect(await runFiles()).toEqual([])
  say(hold(), blob)
  expect(await runFiles()).toHaveLength(1)
  holder.removeLink(link)
  expect(await runFiles()).toEqual([])
})

test('a hand-over in which nothing comes for an hour is given up, and leaves nothing on the disk', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    say(hold(), blob)
    vi.advanceTimersByTime(MAX_SILENCE_MS - 1)
    say(jobs(0, 1))
    vi.advanceTimersByTime(MAX_SILENCE_MS - 1)
    expect(link.of('held')).toHaveLength(1)
    vi.advanceTimersByTime(1)
    expect(link.of('held').at(-1)).toMatchObject({
      state: 'refused',
      reason: 'nothing more of it came for 60 minutes'
    })
    expect(await runFiles()).toEqual([])
  } finally {
    vi.useRealTimers()
  }
})

test('a hand-over that a killed holder left half done is forgotten; one that another process has now is not', async () => {
  say(hold(), blob, jobs(0, 3))
  const runs = new RunsFolder(folder)
  runs.create({ id: 'cd'.repeat(16), kind: 'held', label: '', startedMs: 0 }).release()
  runs.create({ id: 'ef'.repeat(16), kind: 'run', label: '', startedMs: 0 }).release()
  startHolder().restore()
  expect((await runFiles()).toSorted()).toEqual([`${ID}.sqlite`, `${'ef'.repeat(16)}.sqlite`])
})

test('messages out of place do nothing', async () => {
  say(end(1), blob, jobs(0, 1), { type: 'taken', run: 5, position: 3 }, { type: 'cancel', run: 5, jobs: [] })
  say(hold(), hold(), follow(1))
  say(
    { type: 'taken', run: 1, position: 3 },
    { type: 'cancel', run: 1, jobs: [] },
    blob,
    jobs(0, 1),
    end(1),
    end(1)
  )
  expect(link.of('held').map(({ state }) => state)).toEqual(['open', 'stored'])
  say(follow(3, 0, 'cd'.repeat(16)))
  await link.until(() => link.of('followed').length > 0)
  expect(link.of('followed')).toEqual([{ type: 'followed', run: 3 }])
})

test('a peer may talk about 64 runs at once', async () => {
  for (let run = 1; run <= 65; run++) say(hold(run, run.toString(16).padStart(32, '0')))
  const answers = link.of('held')
  expect(answers.filter(({ state }) => state === 'open')).toHaveLength(64)
  expect(answers.at(-1)).toMatchObject({
    run: 65,
    state: 'refused',
    reason: expect.stringMatching(/busy with 64 runs/)
  })
})

test('a follower that takes nothing gets 2 MiB, one that does gets all', async () => {
  mesh.bytesEach = 100_000
  handOver(200)
  await followToEnd(2)
  link.received.length = 0
  say(follow(3))
  await link.until(() => link.of('results').length >= 2)
  const bytes = link.of('results').flatMap(({ results }) => results.map(({ body }) => body.length))
  expect(bytes.reduce((sum, length) => sum + length, 0)).toBeLessThanOrEqual(2 * 1024 * 1024)
  expect(link.results.length).toBeLessThan(25)
  say({ type: 'taken', run: 3, position: 10 })
  expect(link.results.length).toBeLessThan(35)
})

test('no chunk names more peers than one message may', async () => {
  const peers = Array.from({ length: 600 }, (_, n) => `12D3KooW${n.toString(16).padStart(44, 'A')}`)
  mesh.peerOf = (job) => peers[job]!
  handOver(600)
  expect(await followToEnd(2)).toEqual(numbers(0, 600))
  link.received.length = 0
  // From the disk, all at once.
  expect(await followToEnd(3)).toEqual(numbers(0, 600))
  expect(link.of('chunk').map(({ places }) => places.length)).toEqual([512, 88])
})

test('nothing is read for a peer whose line is full', async () => {
  handOver(10)
  await followToEnd(2)
  link.received.length = 0
  const drained = Promise.withResolvers<void>()
  link.drained = () => drained.promise
  link.queuedBytes = 5 * 1024 * 1024
  say(follow(3))
  for (let request = 0; request < 1_000; request++) say({ type: 'find-runs', request, prefix: '' })
  await new Promise((resolve) => setImmediate(resolve))
  expect(link.received).toEqual([])
  link.queuedBytes = 0
  drained.resolve()
  await link.until(() => link.results.length === 10)
  // A question has a hundred bytes, its answer may have many more.
  expect(link.of('found-runs')).toHaveLength(63)
})

test('a disk that takes nothing more: the run fails and says why, and what was written can be had', async () => {
  const append = vi.spyOn(RunStore.prototype, 'appendOutcomes')
  mesh.peerOf = (job) => {
    if (job === 20) {
      append.mockImplementation(() => {
        throw new JournalError('JOURNAL_UNWRITABLE', 'the disk is full')
      })
    }
    return PEER
  }
  handOver(40)
  say(follow())
  await link.until(() => link.state === 'failed')
  vi.restoreAllMocks()
  expect(link.results).toEqual(numbers(0, 20))
  expect(link.of('followed').at(-1)!.status).toMatchObject({
    succeeded: 20,
    failed: 0,
    reason: expect.stringMatching(/the disk is full/)
  })
})

test('what is refused to be read ends nothing else', async () => {
  handOver(10)
  await followToEnd(2)
  await stopHolder()
  restartHolder()
  vi.spyOn(RunsFolder.prototype, 'read').mockImplementation(() => {
    throw new TypeError('a fault of ours')
  })
  say(follow(5))
  await link.until(() => link.of('followed').length > 0)
  expect(link.of('followed')).toEqual([{ type: 'followed', run: 5 }])
  vi.restoreAllMocks()
})

test('following ended runs for ever keeps no room from new ones', async () => {
  const follower = new FakeLink('12D3KooWLRPJAA5o6jyTm9AoVzpSCZF9WvQBLB7DhNwTqEiWkVvX')
  holder.addLink(follower)
  for (let run = 1; run <= 64; run++) {
    const id = run.toString(16).padStart(32, '0')
    say(hold(run, id), { type: 'hold-end', run, jobs: 0 })
    holder.onMessage(follower, { type: 'follow', run, id, position: 0 })
  }
  const states = (): string[] =>
    follower.of('followed').flatMap(({ status }) => (status?.state === 'finished' ? [status.id] : []))
  await follower.until(() => new Set(states()).size === 64)
  say(hold(65, ID))
  expect(link.of('held').at(-1)).toMatchObject({ run: 65, state: 'open' })
  holder.removeLink(follower)
})

test('a run that is cancelled while it waits for its turn has ended, and makes room', async () => {
  mesh.limit = 0
  const id = (run: number): string => run.toString(16).padStart(32, '0')
  for (let run = 1; run <= 64; run++) {
    say(hold(run, id(run)), { ...blob, run }, { ...jobs(0, 1), run } as Message)
    say({ type: 'hold-end', run, jobs: 1 })
  }
  say(hold(65, ID))
  expect(link.of('held').at(-1)).toMatchObject({ state: 'refused' })
  say(follow(66, 0, id(64)))
  await link.until(() => link.state === 'waiting')
  say({ type: 'cancel', run: 66, jobs: [] })
  await link.until(() => link.state === 'cancelled')
  say({ type: 'run-close', run: 65 }, hold(67, ID))
  expect(link.of('held').at(-1)).toMatchObject({ run: 67, state: 'open' })
})

test('endless runs of one node leave room for those of others', async () => {
  mesh.limit = 0
  const other = new FakeLink('12D3KooWLRPJAA5o6jyTm9AoVzpSCZF9WvQBLB7DhNwTqEiWkVvX')
  holder.addLink(other)
  for (let run = 1; run <= 8; run++) {
    say(hold(run, run.toString(16).padStart(32, '0')), { ...blob, run }, { ...jobs(0, 1), run } as Message)
    say({ type: 'hold-end', run, jobs: 1 })
  }
  const id = 'fe'.repeat(16)
  for (const message of [hold(1, id), blob, jobs(0, 1), end(1)]) holder.onMessage(other, message)
  say({ type: 'find-runs', request: 1, prefix: '' })
  await link.until(() => link.of('found-runs').length > 0)
  const { runs } = link.of('found-runs')[0]!
  expect(runs.filter(({ state }) => state === 'running')).toHaveLength(5)
  expect(runs.find((run) => run.id === id)?.state).toBe('running')
  holder.removeLink(other)
})

test('a holder that starts again goes on: what has a result is not run again', async () => {
  mesh.limit = 70
  handOver(100)
  say(follow())
  await link.until(() => link.results.length === 70)
  // As kill -9 leaves it: nobody says how the run stands, and the claim ends with the process.
  await stopHolder()
  restartHolder()
  expect(await followToEnd(3, 70)).toEqual(numbers(70, 100))
  expect(mesh.executed).toEqual(numbers(70, 100))
  await stopHolder()
  restartHolder()
  expect(await followToEnd(4)).toEqual(numbers(0, 100))
  expect(mesh.executed).toEqual([])
})

test('two nodes on one folder: a run has one of them, and the other goes on with it after a restart', async () => {
  mesh.limit = 20
  const firstMesh = mesh
  handOver(50)
  say(follow())
  await link.until(() => link.results.length === 20)
  const [first, second] = [holder, startHolder()]
  second.restore()
  holder = second
  const other = new FakeLink()
  second.addLink(other)
  second.onMessage(other, { type: 'find-runs', request: 1, prefix: '' })
  await other.until(() => other.of('found-runs').length > 0)
  expect(other.of('found-runs')[0]!.runs).toEqual([])
  second.onMessage(other, hold(3))
  expect(other.of('held')).toMatchObject([{ state: 'refused', reason: 'it has a run of this id' }])
  firstMesh.stop()
  await first.close()
  await stopHolder()
  restartHolder()
  expect(await followToEnd(4, 20)).toEqual(numbers(20, 50))
  expect(mesh.executed).toEqual(numbers(20, 50))
})

test('jobs that may not run twice: those that were sent are lost, those that were not are run', async () => {
  mesh.limit = 20
  say(hold(), blob, jobs(0, 50, { once: true }), end(50), follow())
  await link.until(() => link.results.length === 20)
  await stopHolder()
  // The results of the last ten have not been written when the holder ends.
  forgetResults()
  restartHolder()
  await followToEnd(3)
  const outcomes = link.of('results').flatMap(({ results }) => results)
  expect(outcomes.map(({ job }) => job).toSorted((a, b) => a - b)).toEqual(numbers(0, 50))
  expect(outcomes.filter(({ code }) => code === 'JOB_LOST').map(({ job }) => job)).toEqual(numbers(10, 20))
  expect(mesh.executed).toEqual(numbers(20, 50))
})

test('jobs that may not run twice are lost when nobody knows what was sent', async () => {
  mesh.limit = 20
  say(hold(), blob, jobs(0, 50, { once: true }), end(50), follow())
  await link.until(() => link.results.length === 20)
  await stopHolder()
  damage('outcomes', 1)
  restartHolder()
  await followToEnd(3)
  const outcomes = link.of('results').flatMap(({ results }) => results)
  expect(outcomes.map(({ job }) => job).toSorted((a, b) => a - b)).toEqual(numbers(0, 50))
  expect(outcomes.filter(({ ok }) => ok)).toHaveLength(20)
  expect(mesh.executed).toEqual([])
})

test('cancel ends a run, and its results so far can be had', async () => {
  mesh.limit = 30
  handOver(100)
  say(follow())
  await link.until(() => link.results.length === 30)
  say({ type: 'cancel', run: 2, jobs: [3] })
  expect(link.state).toBe('running')
  say({ type: 'cancel', run: 2, jobs: [] })
  await link.until(() => link.state === 'cancelled')
  say({ type: 'run-close', run: 2 }, follow(3))
  await link.until(() => link.results.length === 60)
  expect(link.of('followed').at(-1)!.status).toMatchObject({ state: 'cancelled', succeeded: 30, jobs: 100 })
})

test('damaged results of a finished run: their jobs run again when somebody asks', async () => {
  handOver(100)
  await followToEnd(2)
  await stopHolder()
  damage('outcomes', 3)
  restartHolder()
  const again = await followToEnd(3)
  expect(again.toSorted((a, b) => a - b)).toEqual(numbers(0, 100))
  expect(mesh.executed.length).toBeGreaterThan(0)
  expect(mesh.executed.length).toBeLessThan(100)
  expect(warnings.join()).toMatch(/results are damaged; running their jobs again/)
})

test('a run that runs again because its results are damaged makes room for no other', async () => {
  handOver(10)
  await followToEnd(2)
  await stopHolder()
  damage('outcomes', 1)
  restartHolder()
  mesh.limit = 0
  say(follow(3))
  await link.until(() => link.state === 'running')
  const submitter = new FakeLink()
  holder.addLink(submitter)
  for (let run = 1; run <= 64; run++)
    holder.onMessage(submitter, hold(run, run.toString(16).padStart(32, '0')))
  expect(submitter.of('held').at(-1)).toMatchObject({ run: 64, state: 'refused' })
  holder.removeLink(submitter)
  say({ type: 'find-runs', request: 1, prefix: ID })
  await link.until(() => link.of('found-runs').length > 0)
  expect(link.of('found-runs')[0]!.runs).toMatchObject([{ state: 'running' }])
})

test.each([
  ['jobs', 'tasks', /lost some of the jobs/],
  ['code', 'blobs', /is damaged/]
] as const)('damaged %s: the run fails and says so', async (_, table, reason) => {
  mesh.limit = 10
  handOver(100)
  say(follow())
  await link.until(() => link.results.length === 10)
  await stopHolder()
  damage(table, 1)
  restartHolder()
  say(follow(3))
  await link.until(() => link.state === 'failed')
  expect(link.of('followed').at(-1)!.status).toMatchObject({
    succeeded: 10,
    reason: expect.stringMatching(reason)
  })
  expect(link.results.length).toBe(10)
})

/** Changes a byte in a row, as a dying disk would. */
function damage(table: string, row: number): void {
  const database = new DatabaseSync(join(folder, 'runs', `${ID}.sqlite`))
  const found = database.prepare(`SELECT rowid AS id, body FROM ${table} LIMIT 1 OFFSET ${row - 1}`).get()!
  const body = Buffer.from(found['body'] as Uint8Array)
  body[body.length >> 1]! ^= 1
  database.prepare(`UPDATE ${table} SET body = ? WHERE rowid = ?`).run(body, found['id'] as number)
  database.close()
}

/** Removes the newest segment of results: what a holder was killed before writing. */
function forgetResults(): void {
  const database = new DatabaseSync(join(folder, 'runs', `${ID}.sqlite`))
  database.exec('DELETE FROM outcomes WHERE number = (SELECT max(number) FROM outcomes)')
  database.close()
}

test('a file that is damaged beyond use ends nothing else, and can be removed', async () => {
  handOver(10)
  await followToEnd(2)
  await stopHolder()
  const database = new DatabaseSync(join(folder, 'runs', `${ID}.sqlite`))
  database.exec("UPDATE parts SET body = x'7b' WHERE name = 'held'")
  database.close()
  restartHolder()
  say(follow(3), hold(4, 'cd'.repeat(16)))
  await link.until(() => link.of('followed').length > 0)
  expect(link.of('followed')).toEqual([{ type: 'followed', run: 3 }])
  expect(link.of('held')).toMatchObject([{ state: 'open' }])
  expect(warnings.join()).toMatch(`run ${ID} cannot be read`)
  new RunsFolder(folder).remove(ID)
})
