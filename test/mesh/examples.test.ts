import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { TestMesh } from './harness.ts'

const EXAMPLES = join(import.meta.dirname, '../../examples')

/** Runs an example on two nodes and nothing here; what it printed. */
async function runExample(mesh: TestMesh, file: string, args: readonly string[] = []): Promise<string[]> {
  await Promise.all(['attic', 'cellar'].map((name) => mesh.start(name)))
  const common = ['--mesh', mesh.name, '--dir', join(mesh.folder, 'state'), '--no-mdns', '--no-local']
  const password = ['--password-file', join(mesh.folder, 'password'), '--min-peers', '2']
  const run = mesh.command(['run', join(EXAMPLES, file), ...common, ...password, '--', ...args])
  expect(await run.exit(), run.stderr).toBe(0)
  expect(run.stderr).toMatch(/\d+ done in /)
  expect(run.stderr).not.toMatch(/failed/)
  return run.lines
}

test('mandelbrot writes a picture of the size asked for', async () => {
  await using mesh = new TestMesh()
  const file = join(mesh.folder, 'picture.png')
  expect(await runExample(mesh, 'mandelbrot.ts', ['48', file])).toEqual([`${file}: 48 x 48 pixels`])
  const png = readFileSync(file)
  expect(png.subarray(1, 4).toString()).toBe('PNG')
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([48, 48])
})

test('pi comes closer with every row', async () => {
  await using mesh = new TestMesh()
  const [, ...rows] = await runExample(mesh, 'pi.ts', ['1e5'])
  const estimates = rows.map((row) => row.trim().split(/ +/).map(Number))
  expect(estimates.map(([darts]) => darts)).toEqual([1e3, 1e4, 1e5])
  for (const [, estimate, error] of estimates) expect(Math.abs(estimate! - Math.PI)).toBeLessThan(5 * error!)
  expect(estimates.at(-1)![2]).toBeLessThan(0.01)
})

test('sweep: the more contagious the brighter, the more vaccinated the darker', async () => {
  await using mesh = new TestMesh()
  const lines = await runExample(mesh, 'sweep.ts', ['12'])
  const map = lines.slice(1, -1).map((line) => line.split('│')[1]!)
  expect(map.map((row) => row.length)).toEqual(Array.from({ length: 16 }, () => 12))
  const shade = (mark: string): number => ' ░▒▓█'.indexOf(mark)
  for (const row of map)
    expect(Array.from(row, shade)).toEqual(Array.from(row, shade).toSorted((a, b) => b - a))
  expect(map[0]![0]).toBe('█')
  expect(map.at(-1)).toBe(' '.repeat(12))
})

test('proof-of-work finds a hit in an endless row of jobs and ends', async () => {
  await using mesh = new TestMesh()
  const [line = '', ...more] = await runExample(mesh, 'proof-of-work.ts', ['a test', '14'])
  expect(more).toEqual([])
  const [, text = '', hash = ''] = /^sha256\('(a test \d+)'\) = ([0-9a-f]{64})$/.exec(line) ?? []
  expect(createHash('sha256').update(text).digest('hex')).toBe(hash)
  expect(BigInt(`0x${hash}`) >> BigInt(256 - 14)).toBe(0n)
})

test('test-suite runs each of its tests once', async () => {
  await using mesh = new TestMesh()
  const lines = await runExample(mesh, 'test-suite.ts')
  expect(lines.at(-1)).toBe('9 passed, 0 failed')
  expect(new Set(lines.slice(0, -1).map((line) => line.split('  ')[0])).size).toBe(9)
})

test('npm-package counts with a parser that the nodes do not have', async () => {
  await using mesh = new TestMesh()
  mesh.write('one.js', 'const answer = 6 * 7\n')
  mesh.write('two.js', 'export default () => 6 * 7 * 8\n')
  const [head, ...rows] = await runExample(mesh, 'npm-package.ts', [mesh.folder])
  expect(head).toBe('2 files are made of:')
  expect(rows.map((row) => row.trim().split(/ +/))).toEqual(
    expect.arrayContaining([
      ['5', 'Literal'],
      ['3', 'BinaryExpression'],
      ['2', 'Program']
    ])
  )
})

test('wasm knows the number below ten thousand with the most steps', async () => {
  await using mesh = new TestMesh()
  expect(await runExample(mesh, 'wasm.ts', ['10000'])).toEqual(['6171 takes 261 steps'])
})
