import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { descendants, isAlive, type RunningCommand, TestMesh } from './harness.ts'

/** Results by index; fails when an index is missing or came twice. */
function byIndex(run: RunningCommand, count: number): Map<number, RunningCommand['results'][number]> {
  const results = new Map(run.results.map((result) => [result.index, result]))
  expect(run.results).toHaveLength(count)
  expect([...results.keys()].toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, at) => at))
  return results
}

describe('dist-node run', () => {
  test('three nodes find one another by multicast, and jobs spread over all of them', async () => {
    await using mesh = new TestMesh()
    const nodes = await Promise.all(
      ['alice', 'bob', 'carol'].map((name) => mesh.start(name, { discovery: 'mdns' }))
    )
    for (const [at, node] of nodes.entries()) {
      for (const other of ['alice', 'bob', 'carol'].toSpliced(at, 1)) {
        await node.event('peer-joined', ({ name }) => name === other)
      }
    }
    const whiten = join(import.meta.dirname, '../../examples/whiten.ts')
    const run = mesh.run(whiten, ['--no-local', '--min-peers', '3'], { discovery: 'mdns' })
    expect(await run.exit()).toBe(0)
    const results = byIndex(run, 3)
    for (const [index, word] of ['good', 'news', 'everyone'].entries()) {
      let hash = word
      for (let round = 0; round < 100_000; round++) hash = createHash('sha1').update(hash).digest('hex')
      expect(results.get(index)).toMatchObject({ status: 'ok', value: hash })
    }
    expect(new Set(run.results.map(({ node }) => node))).toEqual(new Set(['alice', 'bob', 'carol']))
  })

  test('a thousand closures over variables, built-ins and a local module: each right, each once, none here', async () => {
    await using mesh = new TestMesh()
    mesh.write(
      'shapes.ts',
      'const SCALE: number = 10\nexport function scale(n: number): number { return n * SCALE }\n'
    )
    const file = mesh.write(
      'thousand.ts',
      `import { createHash } from 'node:crypto'
       import { scale } from './shapes.ts'
       const salt = new Map([['salt', 'pepper']])
       function digest(text: string): string { return createHash('sha256').update(text + salt.get('salt')).digest('hex') }
       const jobs: (() => unknown)[] = []
       for (let n = 0; n < 1000; n++) {
         const label = { text: 'job ' + n, list: [n, n * 2] }
         jobs.push(() => ({ digest: digest(label.text), scaled: scale(n), sum: label.list[0] + label.list[1] }))
       }
       export default jobs`
    )
    const names = ['alice', 'bob', 'carol']
    await Promise.all(names.map((name) => mesh.start(name)))
    const run = mesh.run(file, ['--no-local', '--min-peers', '3'])
    expect(await run.exit(), run.stderr).toBe(0)
    for (const [n, { value, node }] of byIndex(run, 1000)) {
      const digest = createHash('sha256').update(`job ${n}pepper`).digest('hex')
      expect(value).toEqual({ digest, scaled: n * 10, sum: n * 3 })
      expect(names).toContain(node)
    }
  })

  test('a wrong password is refused on both sides, which say so', async () => {
    await using mesh = new TestMesh()
    const node = await mesh.start('alice')
    const passwordFile = mesh.writePassword('wrong', 'dn1-another password')
    const file = mesh.write('one.ts', 'export default [() => 6 * 7]')
    const run = mesh.run(file, ['--no-local', '--wait', '2s'], { passwordFile })
    expect(await run.exit()).toBe(3)
    expect(run.lines).toEqual([])
    expect(run.stderr).toMatch(/\/ip4\/[\d.]+\/tcp\/\d+: .*wrong password or mesh/)
    const refused = await node.event('peer-refused')
    expect(refused['code']).toBe('WRONG_PASSWORD')
    expect(refused['message']).toMatch(/wrong password or mesh/)
  })

  test('kill -9 of a node in the middle of 200 jobs loses nothing and doubles nothing', async () => {
    await using mesh = new TestMesh()
    const file = mesh.write(
      'busy.ts',
      `function spin(ms: number): void { const end = performance.now() + ms; while (performance.now() < end); }
       export default Array.from({ length: 200 }, (_, n) => () => { spin(15); return n * n })`
    )
    const victim = await mesh.start('victim')
    await mesh.start('survivor')
    const run = mesh.run(file, ['--no-local', '--min-peers', '2'])
    await run.until(({ lines }) => lines.length >= 40)
    victim.command.kill('SIGKILL')
    expect(await run.exit(), run.stderr).toBe(0)
    for (const [n, { value }] of byIndex(run, 200)) expect(value).toBe(n * n)
    expect(run.stderr).toMatch(/victim left/)
  })

  test('a job that throws does not disturb the others', async () => {
    await using mesh = new TestMesh()
    const file = mesh.write(
      'throws.ts',
      `export default Array.from({ length: 20 }, (_, n) => () => {
         if (n === 7) throw new RangeError('seven is too many')
         return n
       })`
    )
    await mesh.start('alice')
    const run = mesh.run(file, ['--no-local'])
    expect(await run.exit(), run.stderr).toBe(1)
    for (const [n, result] of byIndex(run, 20)) {
      if (n !== 7) expect(result).toMatchObject({ status: 'ok', value: n })
      else {
        expect(result.error).toMatchObject({ name: 'RangeError', message: 'seven is too many' })
        expect(result.error!.stack).toMatch(/throws\.ts:2:\d+/)
      }
    }
  })

  test('two submitters at once get their own results', async () => {
    await using mesh = new TestMesh()
    const source = (factor: number): string =>
      `export default Array.from({ length: 300 }, (_, n) => () => n * ${factor})`
    await Promise.all(['alice', 'bob'].map((name) => mesh.start(name)))
    const runs = [2, 3].map((factor) =>
      mesh.run(mesh.write(`by-${factor}.ts`, source(factor)), ['--no-local'])
    )
    for (const [at, run] of runs.entries()) {
      expect(await run.exit(), run.stderr).toBe(0)
      for (const [n, { value }] of byIndex(run, 300)) expect(value).toBe(n * (at + 2))
    }
  })

  test('Ctrl-C ends the jobs everywhere and leaves nothing behind', async () => {
    await using mesh = new TestMesh()
    const file = mesh.write(
      'endless.ts',
      `export default [() => 'quick', ...Array.from({ length: 8 }, () => () => { for (;;); })]`
    )
    const node = await mesh.start('alice', { slots: 2 })
    const run = mesh.run(file, ['--slots', '2', '--min-peers', '1'])
    await run.until(({ lines }) => lines.length === 1)
    const { run: id } = await node.event('run-started')
    const own = descendants(run.child.pid!)
    expect(own.length).toBeGreaterThan(0)
    run.kill('SIGINT')
    expect(await run.exit(), run.stderr).toBe(130)
    expect(own.filter((pid) => isAlive(pid))).toEqual([])
    await node.event('run-ended', (event) => event['run'] === id)
    node.command.kill('SIGTERM')
    expect(await node.command.exit()).toBe(0)
  })

  test('a job that runs too long is killed and said to be', async () => {
    await using mesh = new TestMesh()
    const file = mesh.write('long.ts', 'export default [() => { for (;;); }, () => 1]')
    await mesh.start('alice')
    const run = mesh.run(file, ['--no-local', '--timeout', '300ms'])
    expect(await run.exit(), run.stderr).toBe(1)
    const results = byIndex(run, 2)
    expect(results.get(0)!.error).toMatchObject({ code: 'JOB_TIMEOUT' })
    expect(results.get(1)).toMatchObject({ status: 'ok', value: 1 })
  })

  test('without a password jobs run on this machine alone', async () => {
    await using mesh = new TestMesh()
    const file = mesh.write('alone.ts', 'export default [1, 2, 3].map((n) => () => n * 10)')
    const run = mesh.command(['run', file, '--ordered', '--json', '--out', join(mesh.folder, 'out.ndjson')])
    expect(await run.exit(), run.stderr).toBe(0)
    expect(run.stderr).toMatch(/this machine alone/)
    const lines = readFileSync(join(mesh.folder, 'out.ndjson'), 'utf8').trim().split('\n')
    expect(lines.map((line) => (JSON.parse(line) as { value: number }).value)).toEqual([10, 20, 30])
  })
})
