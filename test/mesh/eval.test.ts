import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { TestMesh } from './harness.ts'

function evaluate(mesh: TestMesh, args: readonly string[]): ReturnType<TestMesh['command']> {
  const folders = ['--mesh', mesh.name, '--dir', join(mesh.folder, 'eval-state'), '--no-mdns']
  return mesh.command(['eval', ...args, ...folders, '--password-file', join(mesh.folder, 'password')])
}

describe('dist-node eval', () => {
  test.each([
    ['an expression', '6 * 7', '42'],
    ['a function', '() => [1, 2].map((n) => n * 2)', '[ 2, 4 ]'],
    ['an asynchronous function', 'async () => await Promise.resolve("yes")', 'yes'],
    ['TypeScript', '(): number => 1 as number', '1'],
    ['built-in modules without an import', 'path.posix.join("a", "b") + os.EOL.length', 'a/b1']
  ])('%s', async (_, code, printed) => {
    await using mesh = new TestMesh()
    const command = evaluate(mesh, [code])
    expect(await command.exit(), command.stderr).toBe(0)
    expect(command.lines).toEqual([printed])
  })

  test('--each asks every node once', async () => {
    await using mesh = new TestMesh()
    await Promise.all([mesh.start('a'), mesh.start('b')])
    // It waits only until both have been connected to, however long that takes on a busy machine.
    const command = evaluate(mesh, ['--each', '--wait', '60s', '--name', 'me', '--json', 'process.platform'])
    expect(await command.exit(), command.stderr).toBe(0)
    expect(command.results.map(({ node, value }) => `${node} ${String(value)}`).toSorted()).toEqual(
      ['a', 'b', 'me'].map((node) => `${node} ${process.platform}`)
    )
  })

  test('an error ends with 1, its stack begins in the code', async () => {
    await using mesh = new TestMesh()
    const command = evaluate(mesh, ['missing.thing'])
    expect(await command.exit()).toBe(1)
    expect(command.stderr).toMatch(
      /ReferenceError: missing is not defined[^]*> 1 │ .*missing\.thing[^]*\n +at .*eval\.ts:1:/
    )
  })
})
