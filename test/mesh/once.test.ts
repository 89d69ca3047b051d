/** Jobs that may not run twice, in a mesh that loses a peer. */
import { expect, test } from 'vitest'
import { TestMesh } from './harness.ts'

const SOURCE = `
import { job } from 'dist-node'

function work(n: number): number {
  console.log('begins', n)
  const end = performance.now() + 300
  while (performance.now() < end);
  return n * n
}

export default Array.from({ length: 8 }, (_, n) => job(work, [n], { idempotent: false }))
`

test('a job that may not run twice fails with JOB_LOST when its peer dies, and begins nowhere else', async () => {
  await using mesh = new TestMesh()
  const victim = await mesh.start('victim')
  await mesh.start('survivor')
  const run = mesh.run(mesh.write('once.ts', SOURCE), ['--no-local', '--min-peers', '2', '--retries', '3'])
  await run.until(({ stderr }) => / victim\] begins/.test(stderr))
  victim.command.kill('SIGKILL')
  expect(await run.exit(), run.stderr).toBe(1)
  const results = run.results
  expect(results.map(({ index }) => index).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  const lost = results.filter(({ status }) => status === 'error')
  expect(lost.map(({ error }) => error?.code)).toEqual(lost.map(() => 'JOB_LOST'))
  expect(lost.length).toBeGreaterThan(0)
  const begun = [...run.stderr.matchAll(/begins (\d)/g)].map(([, n]) => Number(n))
  expect(new Set(begun).size).toBe(begun.length)
  for (const { index, value, status } of results) if (status === 'ok') expect(value).toBe(index * index)
})

test('a node that stops waits for its jobs as long as it was told to, and no longer', async () => {
  await using mesh = new TestMesh()
  const node = await mesh.start('hasty', { args: ['--drain', '100ms'] })
  const source = `
import { job } from 'dist-node'
async function nap(): Promise<void> {
  console.log('begins')
  await new Promise((resolve) => setTimeout(resolve, 600_000))
}
export default [job(nap, [], { idempotent: false })]
`
  const run = mesh.run(mesh.write('nap.ts', source), ['--no-local', '--min-peers', '1', '--wait', '10s'])
  await run.until(({ stderr }) => stderr.includes('begins'))
  node.command.kill('SIGTERM')
  expect(await node.command.exit()).toBe(0)
  expect(await run.exit(), run.stderr).toBe(1)
  expect(run.results).toMatchObject([{ status: 'error', error: { code: 'JOB_LOST' } }])
})
