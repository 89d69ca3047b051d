/** Runs that outlive their submitter: handed to a node that stays, followed from any other. */
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type RunningCommand, TestMesh, type TestNode } from './harness.ts'

const BUSY = `
  function spin(ms: number): void { const end = performance.now() + ms; while (performance.now() < end); }
  export default Array.from({ length: 200 }, (_, n) => () => { spin(15); return n * n })`

/** Starts a node that takes no runs, so that only one can hold them. */
function startExecutor(mesh: TestMesh, name: string, args: readonly string[] = []): Promise<TestNode> {
  return mesh.start(name, { args: ['--no-hold', ...args] })
}

async function detach(mesh: TestMesh, file: string, args: readonly string[] = []): Promise<string> {
  const command = mesh.run(file, ['--detach', ...args])
  expect(await command.exit(), command.stderr).toBe(0)
  const { run, holder } = JSON.parse(command.lines[0]!) as { run: string; holder: string }
  expect(run).toMatch(/^[0-9a-f]{32}$/)
  expect(holder).toBe('holder')
  return run
}

function attach(mesh: TestMesh, run: string, args: readonly string[] = []): RunningCommand {
  return mesh.joined(['attach', run, '--json', ...args])
}

/** Fails when an index is missing or came twice. */
function expectSquares(results: RunningCommand['results'], count: number): void {
  expect(results.map(({ index }) => index).toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: count }, (_, at) => at)
  )
  for (const { index, status, value } of results)
    expect([index, status, value]).toEqual([index, 'ok', index ** 2])
}

describe('detached runs', () => {
  test('the submitter is gone, others do the work, and every result comes once wherever it is asked for', async () => {
    await using mesh = new TestMesh()
    await mesh.start('holder')
    await startExecutor(mesh, 'executor')
    const run = await detach(mesh, mesh.write('busy.ts', BUSY))
    const early = attach(mesh, run)
    await early.until(({ lines }) => lines.length >= 50)
    const late = attach(mesh, run.slice(0, 12), ['--ordered'])
    expect(await early.exit(), early.stderr).toBe(0)
    expect(await late.exit(), late.stderr).toBe(0)
    expectSquares(early.results, 200)
    expectSquares(late.results, 200)
    expect(late.results.map(({ index }) => index)).toEqual(Array.from({ length: 200 }, (_, at) => at))
    expect(new Set(early.results.map(({ node }) => node))).toEqual(new Set(['holder', 'executor']))
    const listed = mesh.joined(['attach', '--json', '--wait', '5s'])
    expect(await listed.exit(), listed.stderr).toBe(0)
    expect(listed.lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { id: run, label: 'busy.ts', holder: 'holder', state: 'finished', jobs: 200, succeeded: 200, failed: 0 }
    ])
    expect(early.stderr).toMatch(/busy\.ts, held by holder: 200 of 200 done \(/)
  })

  test('kill -9 of the submitter as soon as it has said the id changes nothing', async () => {
    await using mesh = new TestMesh()
    await mesh.start('holder')
    const command = mesh.run(mesh.write('busy.ts', BUSY), ['--detach'])
    await command.until(({ lines }) => lines.length > 0)
    command.kill('SIGKILL')
    const { run } = JSON.parse(command.lines[0]!) as { run: string }
    const attached = attach(mesh, run)
    expect(await attached.exit(), attached.stderr).toBe(0)
    expectSquares(attached.results, 200)
  })

  test('kill -9 of the holder in the middle: attach says so, waits, and has every result once in the end', async () => {
    await using mesh = new TestMesh()
    await using counter = await Counter.start(100)
    const holder = await mesh.start('holder', { slots: 0 })
    await startExecutor(mesh, 'executor', ['--allow-net'])
    const run = await detach(mesh, mesh.write('counted.ts', counter.jobs(200)))
    const attached = attach(mesh, run)
    await attached.until(({ lines }) => lines.length === 100)
    holder.command.kill('SIGKILL')
    await attached.until(({ stderr }) =>
      stderr.includes('holder, which holds the run, is away: waiting for it')
    )
    await mesh.start('holder', { slots: 0 })
    await attached.until(({ stderr }) => stderr.includes('holder has the run: going on'))
    counter.openGate()
    expect(await attached.exit(), attached.stderr).toBe(0)
    expectSquares(attached.results, 200)
    // What had its result before is not run again.
    for (let index = 0; index < 100; index++) expect([index, counter.executions(index)]).toEqual([index, 1])
    const again = attach(mesh, run)
    expect(await again.exit(), again.stderr).toBe(0)
    expectSquares(again.results, 200)
  })

  test('cancel stops jobs where they run, and attach ends with what there is', async () => {
    await using mesh = new TestMesh()
    await mesh.start('holder', { slots: 0 })
    const executor = await startExecutor(mesh, 'executor')
    const file = mesh.write(
      'endless.ts',
      'export default [() => 42, () => { for (;;); }, () => { for (;;); }]'
    )
    const run = await detach(mesh, file)
    const attached = attach(mesh, run)
    await attached.until(({ lines }) => lines.length === 1)
    const cancelled = mesh.joined(['cancel', run, '--json'])
    expect(await cancelled.exit(), cancelled.stderr).toBe(0)
    expect(JSON.parse(cancelled.lines[0]!)).toMatchObject({
      id: run,
      state: 'cancelled',
      jobs: 3,
      succeeded: 1
    })
    await executor.event('run-ended')
    expect(await attached.exit()).toBe(1)
    expect(attached.stderr).toMatch(/was cancelled/)
    expect(attached.results.map(({ value }) => value)).toEqual([42])
  })

  test('an unknown run is said to be unknown, with those that were asked', async () => {
    await using mesh = new TestMesh()
    const holder = await mesh.start('holder')
    const attached = attach(mesh, 'feedbeef', ['--wait', '5s'])
    expect(await attached.exit()).toBe(3)
    expect(attached.stderr).toMatch(/no node that is here holds run feedbeef \(asked: holder\)/)
    const cancelled = mesh.joined(['cancel', 'not-an-id'])
    expect(await cancelled.exit()).toBe(2)
    expect(cancelled.stderr).toMatch(/expected the id of a run/)
    const run = await detach(mesh, mesh.write('one.ts', 'export default [() => 1]'))
    expect(await holder.event('run-held')).toMatchObject({ run, label: 'one.ts', jobs: 1 })
    await holder.command.end()
    const dir = join(mesh.folder, 'state-holder')
    const where = [
      '--mesh',
      mesh.name,
      '--dir',
      dir,
      '--password-file',
      join(mesh.folder, 'password'),
      '--no-mdns'
    ]
    const away = mesh.command(['attach', run, '--wait', '1s', ...where])
    expect(await away.exit()).toBe(3)
    expect(away.stderr).toMatch(/is held by this machine, whose dist-node start does not run/)
  })

  test('a mesh in which nobody takes runs refuses them, and says what to do', async () => {
    await using mesh = new TestMesh()
    await startExecutor(mesh, 'executor')
    const command = mesh.run(mesh.write('busy.ts', BUSY), ['--detach', '--wait', '2s'])
    expect(await command.exit()).toBe(3)
    expect(command.stderr).toMatch(
      /no node that takes runs was found within 2 s: start one with dist-node start/
    )
    expect(command.lines).toEqual([])
  })

  test('what another node decides, or attach, does not go with --detach', async () => {
    await using mesh = new TestMesh()
    const file = mesh.write('one.ts', 'export default [() => 1]')
    for (const option of ['--ordered', '--no-local', '--out=x', '--no-journal', '--resume']) {
      const command = mesh.run(file, ['--detach', option])
      expect(await command.exit()).toBe(2)
      expect(command.stderr).toMatch(/option '--detach' cannot be used with option '--/)
    }
  })

  test('an input without end is refused, and the holder keeps nothing of it', async () => {
    await using mesh = new TestMesh()
    await mesh.start('holder')
    const file = mesh.write(
      'endless.ts',
      `import { job } from 'dist-node'
       const double = (n: number): number => 2 * n
       function* jobs() { for (let n = 0; ; n++) yield job(double, [n]) }
       export default jobs()`
    )
    const command = mesh.run(file, ['--detach'])
    expect(await command.exit()).toBe(2)
    expect(command.stderr).toMatch(/cannot be detached: more than 1,000,000 jobs/)
    const listed = mesh.joined(['cancel', 'a', '--wait', '1s'])
    await listed.exit()
    const files = readdirSync(join(mesh.folder, 'state-holder', 'runs')).filter((name) =>
      name.endsWith('.sqlite')
    )
    expect(files).toEqual([])
  })

  test('jobs that may not run twice do not, even when their holder was killed', async () => {
    await using mesh = new TestMesh()
    await using counter = await Counter.start(30)
    const holder = await mesh.start('holder', { slots: 0 })
    await startExecutor(mesh, 'executor', ['--allow-net'])
    const file = mesh.write('once.ts', `${counter.jobs(1_500)}\nexport const options = { idempotent: false }`)
    const run = await detach(mesh, file)
    const attached = attach(mesh, run)
    await attached.until(({ lines }) => lines.length === 30)
    holder.command.kill('SIGKILL')
    await holder.command.exit()
    await mesh.start('holder', { slots: 0 })
    counter.openGate()
    expect(await attached.exit(), attached.stderr).toBe(1)
    const indexes = attached.results.map(({ index }) => index)
    expect(indexes.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 1_500 }, (_, at) => at))
    for (const { index, status, value, error } of attached.results) {
      expect(counter.executions(index)).toBeLessThan(2)
      if (status === 'ok') expect(value).toBe(index ** 2)
      else expect(error!.code).toBe('JOB_LOST')
    }
    // The job at the gate was under way; the last ones had not been sent anywhere, and are run as any others.
    expect(attached.results.find(({ index }) => index === 30)).toMatchObject({ status: 'error' })
    expect(attached.results.find(({ index }) => index === 1_499)).toMatchObject({ status: 'ok' })
  })
})

/**
 * Counts how often each job was started, wherever that was: each tells it. From number `gateAt` on jobs wait until the
 * gate is open, so that a run is in its middle for as long as a test needs.
 */
class Counter implements AsyncDisposable {
  readonly #server: Server
  readonly #counts = new Map<number, number>()
  readonly #gate = Promise.withResolvers<void>()

  private constructor(gateAt: number) {
    this.#server = createServer((request, response) => {
      const index = Number(request.url!.slice(1))
      this.#counts.set(index, this.executions(index) + 1)
      if (index < gateAt) response.end()
      else void this.#gate.promise.then(() => response.end())
    })
  }

  static async start(gateAt: number): Promise<Counter> {
    const counter = new Counter(gateAt)
    counter.#server.listen(0, '127.0.0.1')
    await once(counter.#server, 'listening')
    return counter
  }

  executions(index: number): number {
    return this.#counts.get(index) ?? 0
  }

  openGate(): void {
    this.#gate.resolve()
  }

  /** Source of so many jobs that give the squares of their numbers. */
  jobs(count: number): string {
    const { port } = this.#server.address() as AddressInfo
    return `
      export default Array.from({ length: ${count} }, (_, n) => async () => {
        await fetch('http://127.0.0.1:${port}/' + n)
        return n * n
      })`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.openGate()
    this.#server.closeAllConnections()
    this.#server.close()
  }
}
