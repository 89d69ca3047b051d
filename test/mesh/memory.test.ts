import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { descendants, TestMesh } from './harness.ts'

test.skipIf(!existsSync('/proc/self/coredump_filter'))(
  'the memory of a node and of its workers goes into no core file',
  async () => {
    await using mesh = new TestMesh()
    const { pid } = (await mesh.start('node')).command.child
    for (const process of [pid!, ...descendants(pid!)]) {
      expect(Number.parseInt(readFileSync(`/proc/${process}/coredump_filter`, 'utf8'), 16)).toBe(0)
    }
  }
)

test('SIGUSR1 opens no debugger in a node', async () => {
  await using mesh = new TestMesh()
  const node = await mesh.start('node')
  node.command.kill('SIGUSR1')
  const run = mesh.run(mesh.write('jobs.mjs', 'export default [() => 6 * 7]'), ['--no-local'])
  expect(await run.exit()).toBe(0)
  expect(node.command.stderr).not.toMatch(/debugger/i)
})
