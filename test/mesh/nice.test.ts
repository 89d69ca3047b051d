import { getPriority } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { descendants, TestMesh } from './harness.ts'

test('start --nice holds for the node, and the processes that run jobs are no less polite', async () => {
  await using mesh = new TestMesh()
  const state = ['--mesh', mesh.name, '--dir', join(mesh.folder, 'state'), '--no-mdns', '--slots', '1']
  const password = ['--password-file', join(mesh.folder, 'password')]
  const start = mesh.command(['start', '--json', '--nice', '7', ...state, ...password])
  await start.until(({ lines }) => lines.length === 1)
  expect(getPriority(start.child.pid)).toBe(7)
  // Worker processes are a courtesy lower than that.
  const workers = descendants(start.child.pid!).map((pid) => getPriority(pid))
  expect(workers.length).toBeGreaterThan(0)
  for (const priority of workers) expect(priority).toBeGreaterThanOrEqual(7)
})
