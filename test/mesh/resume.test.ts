/**
 * The submitter is killed with SIGKILL again and again, and resumed each time. The executor lives in this process, so that
 * it can be seen what it is given to run.
 *
 * `DIST_NODE_KILLS=20` kills that often (20 takes about a minute), `DIST_NODE_SEED=…` repeats a run of this test.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { afterEach, expect, test, vi } from 'vitest'
import { createDistNode, openJournal } from '../../src/index.ts'
import { Executor } from '../../src/node/executor/executor.ts'
import { type ResultLine, type RunningCommand, TestMesh } from './harness.ts'

const KILLS = Number(process.env['DIST_NODE_KILLS'] ?? 3)
const SEED = Number(process.env['DIST_NODE_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const JOBS = 5_000

const PASSWORD = 'dn1-a password for tests'

/** mulberry32: the same numbers for the same seed. */
function makeRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Tells, each time it is asked, which jobs executors of this process were handed since. */
function watchExecutors(): () => Set<number> {
  const spy = vi.spyOn(Executor.prototype, 'onMessage')
  return () => {
    const given = spy.mock.calls.flatMap(([, message]) =>
      message.type === 'jobs' ? message.jobs.map(({ job }) => job) : []
    )
    spy.mockClear()
    return new Set(given)
  }
}

/** Whether so many results have come that no journal knew. Asked after each line. */
function hasNew(wanted: number): (run: RunningCommand) => boolean {
  let [looked, found] = [0, 0]
  return ({ lines }) => {
    for (; looked < lines.length; looked++) if (!lines[looked]!.includes('"from":"journal"')) found++
    return found >= wanted
  }
}

const cleanups: (() => unknown)[] = []

afterEach(async () => {
  vi.restoreAllMocks()
  for (const clean of cleanups.splice(0).toReversed()) await clean()
})

test(
  `${JOBS} jobs, submitter killed ${KILLS} times at random moments (seed ${SEED}): nothing finished is run again, nothing is lost`,
  { timeout: 300_000 },
  async () => {
    console.log(`seed ${SEED}`)
    const random = makeRandom(SEED)
    const takeGiven = watchExecutors()
    await using mesh = new TestMesh()
    const dir = mkdtempSync(join(tmpdir(), 'dist-node-resume-'))
    cleanups.push(() => rmSync(dir, { recursive: true, force: true }))
    const executor = await createDistNode({
      password: PASSWORD,
      mesh: mesh.name,
      name: 'alice',
      dir: join(dir, 'executor'),
      slots: 2,
      mdns: false,
      listen: ['/ip4/127.0.0.1/tcp/0']
    })
    cleanups.push(() => executor.stop())
    const file = mesh.write(
      'jobs.ts',
      `function square(n: number): number { return n * n }
       export default Array.from({ length: ${JOBS} }, (_, n) => () => {
         for (const end = performance.now() + 0.1; performance.now() < end; );
         if (n % 1000 === 999) throw new RangeError('job ' + n)
         return square(n)
       })`
    )
    const state = join(dir, 'submitter')
    const journal = openJournal(state)
    const submit = (...more: string[]): ReturnType<TestMesh['command']> =>
      mesh.command([
        'run', file, '--json', '--no-local', '--mesh', mesh.name, '--dir', state, '--no-mdns',
        '--password-file', join(mesh.folder, 'password'), '--peer', executor.addresses[0]!, ...more
      ]) // prettier-ignore
    const finished = (): Set<number> => {
      const [run] = journal.runs()
      return new Set(run === undefined ? [] : [...journal.results(run.id)].map(({ index }) => index))
    }

    let before = new Set<number>()
    for (let kill = 0; kill < KILLS; kill++) {
      const run = submit(...(journal.runs().length > 0 ? ['--resume'] : []))
      const wanted = Math.floor(random() * (JOBS / KILLS))
      await Promise.race([run.until(hasNew(wanted)), run.exit()])
      await new Promise((resolve) => setTimeout(resolve, random() * 40))
      run.kill('SIGKILL')
      await run.exit()
      const given = takeGiven()
      expect([...given].filter((job) => before.has(job))).toEqual([])
      const after = finished()
      expect([...before].filter((job) => !after.has(job))).toEqual([])
      before = after
    }

    const last = submit(...(journal.runs().length > 0 ? ['--resume'] : []))
    expect(await last.exit(), last.stderr).toBe(1)
    expect([...takeGiven()].filter((job) => before.has(job))).toEqual([])
    const results = last.results.toSorted((a, b) => a.index - b.index)
    expect(results.map(({ index }) => index)).toEqual(Array.from({ length: JOBS }, (_, n) => n))
    for (const result of results) expectRight(result)
    expect(results.filter(({ node }) => node !== 'alice')).toEqual([])
    expect(last.lines.filter((line) => line.includes('"from":"journal"'))).toHaveLength(before.size)
    expect(journal.runs()).toMatchObject([
      { state: 'finished', succeeded: JOBS - JOBS / 1000, failed: JOBS / 1000, total: JOBS }
    ])
  }
)

function expectRight({ index, status, value, error }: ResultLine): void {
  if (index % 1000 === 999) {
    expect(status).toBe('error')
    expect(error).toMatchObject({ name: 'RangeError', message: `job ${index}` })
  } else expect(value).toBe(index * index)
}

/** Prints of each result what a program sees of it. */
const COLLECT = `
export async function collect(results) {
  for await (const { index, status, value, error, from } of safely(results)) {
    console.log(JSON.stringify({ index, status, from, twice: value?.twice, odd: error instanceof Odd && error.number }))
  }
}
async function* safely(results) {
  for await (const result of results) {
    const { index, status, from, error } = result
    yield { index, status, from, error, value: status === 'ok' ? result.value : undefined }
  }
}`

const CLASSES = `
class Point {
  constructor(x) { this.x = x }
  get twice() { return this.x * 2 }
}
class Odd extends Error {
  constructor(number) { super('odd'); this.number = number }
}
function make(n) {
  if (n % 2 === 1) throw new Odd(n)
  return new Point(n)
}
export default [0, 1, 2, 3].map((n) => () => make(n))`

test('a changed file is recognised job by job; instances and errors are of the classes it has now', async () => {
  await using mesh = new TestMesh()
  const run = (...more: string[]): RunningCommand =>
    mesh.command(['run', 'jobs.ts', '--dir', 'state', '--ordered', '--slots', '1', ...more])
  mesh.write('jobs.ts', CLASSES + COLLECT)
  const first = run()
  expect(await first.exit(), first.stderr).toBe(1)
  const before = first.results
  expect(before).toMatchObject([{ twice: 0 }, { odd: 1 }, { twice: 4 }, { odd: 3 }])
  // Other classes come first now, so that each has another number; everything stands elsewhere; one job has changed.
  mesh.write(
    'jobs.ts',
    `// moved\nclass Other { #secret = 1; get twice() { return -1 } }\n` +
      CLASSES.replace('[0, 1, 2, 3].map(', '[() => ({ twice: new Other().twice }), ...[0, 1, 3].map(').concat(
        ']'
      ) +
      COLLECT
  )
  const refused = run('--resume')
  expect(await refused.exit()).toBe(2)
  const [, id] = /--resume ([0-9a-f]{8})/.exec(refused.stderr) ?? []
  expect(refused.stderr).toContain('is finished')
  const second = run('--resume', id!)
  expect(await second.exit(), second.stderr).toBe(1)
  expect(second.results).toMatchObject([
    { index: 0, twice: -1 },
    { index: 1, twice: 0, from: 'journal' },
    { index: 2, odd: 1, from: 'journal' },
    { index: 3, odd: 3, from: 'journal' }
  ])
  expect(second.stderr).toContain('going on with run')
  const listed = mesh.command(['runs', '--dir', 'state'])
  expect(await listed.exit()).toBe(0)
  expect(listed.lines[1]).toMatch(new RegExp(`^${id} +finished +4 of 4 +2 .* jobs\\.ts$`))
  const results = mesh.command(['results', id!, '--json', '--ordered', '--dir', 'state'])
  expect(await results.exit()).toBe(1)
  expect(results.results.map(({ value, error }) => value ?? error?.message)).toEqual([
    { twice: -1 },
    { x: 0 },
    'odd',
    'odd'
  ])
  const removed = mesh.command(['runs', 'rm', id!, '--dir', 'state'])
  expect(await removed.exit()).toBe(0)
  expect(openJournal(join(mesh.folder, 'state')).runs()).toEqual([])
})

test('Ctrl-C says how to go on, and with --cache another run knows what is pure', async () => {
  await using mesh = new TestMesh()
  mesh.write(
    'slow.ts',
    `export default (args) => Array.from({ length: 200 }, (_, n) => () => {
    for (const end = performance.now() + Number(args[0]); performance.now() < end; );
    return n
  })`
  )
  const common = ['slow.ts', '--dir', 'state', '--json', '--slots', '1', '--cache', '--pure']
  const run = mesh.command(['run', ...common, '--', '20'])
  await run.until(({ lines }) => lines.length > 5)
  run.kill('SIGINT')
  expect(await run.exit()).toBe(130)
  expect(run.stderr.trimEnd().split('\n').at(-1)).toContain(
    'interrupted; go on with: dist-node run slow.ts --dir state --resume -- 20'
  )
  const cached = mesh.command(['run', ...common, '--no-journal', '--fail-fast', '--', '20'])
  await cached.until(({ lines }) => lines.length >= run.lines.length)
  cached.kill('SIGINT')
  expect(await cached.exit()).toBe(130)
  expect(cached.stderr).not.toContain('go on with')
  const known = cached.lines.filter((line) => line.includes('"from":"cache"'))
  expect(known.length).toBeGreaterThanOrEqual(run.lines.length)
  const info = mesh.command(['cache', '--dir', 'state', '--json'])
  expect(await info.exit()).toBe(0)
  expect((JSON.parse(info.lines[0]!) as { entries: number }).entries).toBeGreaterThanOrEqual(known.length)
  const cleared = mesh.command(['cache', 'clear', '--dir', 'state'])
  expect(await cleared.exit()).toBe(0)
  expect(cleared.lines[0]).toContain('forgotten')
})
