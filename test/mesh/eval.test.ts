import { once } from 'node:events'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type RunningCommand, TestMesh } from './harness.ts'

function evaluate(mesh: TestMesh, args: readonly string[], env: Record<string, string> = {}): RunningCommand {
  const folders = ['--mesh', mesh.name, '--dir', join(mesh.folder, 'eval-state'), '--no-mdns']
  return mesh.command(['eval', ...args, ...folders, '--password-file', join(mesh.folder, 'password')], {
    env
  })
}

describe('dist-node eval', () => {
  test.each([
    ['an expression', '6 * 7', '42'],
    ['a function', '() => [1, 2].map((n) => n * 2)', '[ 2, 4 ]'],
    ['an asynchronous function', 'async () => await Promise.resolve("yes")', 'yes'],
    [
      'a call of a function, which runs in a sandbox and not here',
      '(() => typeof process.env.HOME)()',
      'undefined'
    ],
    ['what is a function without looking like one', 'Math.max', '[Function: max]'],
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

  test('what the function prints goes to stderr, with the name of the node', async () => {
    await using mesh = new TestMesh()
    const command = evaluate(mesh, ['--name', 'me', 'console.log("one\\ntwo") ?? 3'])
    expect(await command.exit(), command.stderr).toBe(0)
    expect(command.stderr).toBe('[me] one\n[me] two\n')
    expect(command.lines).toEqual(['3'])
  })

  test('Ctrl-C ends it with 130, and its file is removed', async () => {
    await using mesh = new TestMesh()
    const code = '() => { console.log("running"); for (;;); }'
    const folder = join(mesh.folder, 'tmp')
    mkdirSync(folder)
    const command = evaluate(mesh, [code], { TMPDIR: folder })
    await once(command.child.stderr!, 'data')
    command.kill('SIGINT')
    expect(await command.exit()).toBe(130)
    expect(command.stderr).toContain('dist-node: interrupted\n')
    expect(readdirSync(folder).filter((name) => name.startsWith('dist-node-eval'))).toEqual([])
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
