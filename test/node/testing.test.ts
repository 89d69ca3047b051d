import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { UsageError } from '../../src/index.ts'
import { createTestMesh } from '../../src/testing.ts'

test('a mesh of three in this process: all know one another, jobs run on all of them and never at the submitter', async () => {
  await using mesh = await createTestMesh(3)
  expect(mesh.nodes.map(({ name }) => name)).toEqual(['node-1', 'node-2', 'node-3'])
  for (const node of [mesh.submitter, ...mesh.nodes]) {
    expect(node.peers).toHaveLength(3)
    for (const address of node.addresses) expect(address).toMatch(/^\/ip4\/127\.0\.0\.1\/tcp\/\d+/)
  }
  const factor = 3
  expect(await mesh.submitter.map((n) => n * factor, [1, 2, 3]).all()).toEqual([3, 6, 9])
  const answers = await mesh.submitter.everywhere(() => process.pid)
  expect(answers.map(({ node }) => node).toSorted()).toEqual(['node-1', 'node-2', 'node-3'])
  expect(answers.map(({ value }) => value)).not.toContain(process.pid)
})

test('what one of its nodes submits is run by the others', async () => {
  await using mesh = await createTestMesh(2)
  const [first] = mesh.nodes
  const nodes = new Set<string>()
  for await (const result of first!.map((n) => n, [1, 2, 3, 4])) nodes.add(result.node)
  expect([...nodes]).toEqual(['node-2'])
})

test('nothing is left of it, not even when it could not be made', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dist-node-tmpdir-'))
  vi.stubEnv('TMPDIR', folder)
  try {
    const mesh = await createTestMesh(1)
    expect(readdirSync(folder)).toEqual([expect.stringMatching(/^dist-node-test-mesh-/)])
    await mesh.stop()
    await mesh.stop()
    expect(mesh.submitter.peers).toEqual([])
    await expect(createTestMesh(1, { slots: -1 })).rejects.toThrow(/slots: expected a whole number/)
    expect(readdirSync(folder)).toEqual([])
  } finally {
    vi.unstubAllEnvs()
    rmSync(folder, { recursive: true })
  }
})

test.each([0, 1.5, 33, Number.NaN])('%d nodes are refused', async (count) => {
  await expect(createTestMesh(count)).rejects.toThrow(UsageError)
})
