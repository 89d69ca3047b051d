import { once } from 'node:events'
import { expect, test } from 'vitest'
import type { DistNode } from '../../src/index.ts'
import { createTestMesh, type TestMesh } from '../../src/testing.ts'

/** There is no event for these: they are looked at until they fit. */
async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** As the submitter sees a node. */
function untilSlots(mesh: TestMesh, node: DistNode, slots: number): Promise<void> {
  return until(() => mesh.submitter.peers.find(({ id }) => id === node.peerId)?.slots === slots)
}

test('a paused node gives back what waits, ends what runs, and lends again', async () => {
  await using mesh = await createTestMesh(2)
  const [first, second] = mesh.nodes as [DistNode, DistNode]
  const started = once(first, 'run-started')
  const spin = (n: number): number => {
    const end = performance.now() + 40
    while (performance.now() < end);
    return n
  }
  const values = mesh.submitter
    .map(
      spin,
      Array.from({ length: 30 }, (_, n) => n)
    )
    .all()
  await started
  first.pauseLending()
  expect(first.paused).toBe(true)
  await untilSlots(mesh, first, 0)
  expect(await values).toEqual(Array.from({ length: 30 }, (_, n) => n))
  const during = new Set<string>()
  for await (const { node } of mesh.submitter.map(spin, [1, 2, 3])) during.add(node)
  expect([...during]).toEqual([second.name])
  first.resumeLending()
  await untilSlots(mesh, first, 1)
  const answers = await mesh.submitter.everywhere(() => 'here')
  expect(answers.map(({ node }) => node).toSorted()).toEqual(['node-1', 'node-2'])
})

test('a run whose only node pauses has its running job ended there, and goes on when it resumes', async () => {
  await using mesh = await createTestMesh(1)
  const [node] = mesh.nodes as [DistNode]
  const spin = (ms: number): number => {
    const end = performance.now() + ms
    while (performance.now() < end);
    return ms
  }
  const values = mesh.submitter.map(spin, [1_500, 1], { waitMs: 1_000 }).all()
  await until(() => node.busy === 1)
  // More than waitMs passes while the first job runs on the paused node: it counts from the end of that.
  node.pauseLending()
  await untilSlots(mesh, node, 0)
  await until(() => node.busy === 0)
  node.resumeLending()
  expect(await values).toEqual([1_500, 1])
})
