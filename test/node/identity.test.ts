import { mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { claimIdentity } from '../../src/node/identity.ts'
import { createDistNode } from '../../src/node/node.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dist-node-identity-'))
})
afterEach(() => rm(folder, { recursive: true }))

describe('identity', () => {
  test('stays the same from one start to the next, and is readable by its owner alone', async () => {
    const first = await claimIdentity(folder)
    await first.release()
    const second = await claimIdentity(folder)
    expect(second.peerId).toBe(first.peerId)
    expect((await stat(join(folder, 'identity-0.json'))).mode & 0o777).toBe(0o600)
  })

  test('two nodes on one folder are two peers', async () => {
    const [one, two] = await Promise.all([claimIdentity(folder), claimIdentity(folder)])
    expect(one.peerId).not.toBe(two.peerId)
    await Promise.all([one.release(), two.release()])
    expect((await readdir(folder)).filter((file) => file.endsWith('.lock'))).toEqual([])
  })

  test('the lock of a process that is gone does not count', async () => {
    const first = await claimIdentity(folder)
    await first.release()
    await writeFile(join(folder, 'identity-0.lock'), '999999999')
    expect((await claimIdentity(folder)).peerId).toBe(first.peerId)
  })

  test('nor does that of the start before in a container, where every start has the same number', async () => {
    const first = await claimIdentity(folder)
    await first.release()
    await writeFile(join(folder, 'identity-0.lock'), String(process.pid))
    await utimes(join(folder, 'identity-0.lock'), 1_000, 1_000)
    const second = await claimIdentity(folder)
    expect(second.peerId).toBe(first.peerId)
    expect((await claimIdentity(folder)).peerId).not.toBe(first.peerId)
  })

  test('nor an empty one, but for a moment: a power cut or a full disk leaves such', async () => {
    const first = await claimIdentity(folder)
    await first.release()
    await writeFile(join(folder, 'identity-0.lock'), '')
    const meanwhile = await claimIdentity(folder)
    expect(meanwhile.peerId).not.toBe(first.peerId)
    await utimes(join(folder, 'identity-0.lock'), 1_000, 1_000)
    expect((await claimIdentity(folder)).peerId).toBe(first.peerId)
  })

  test.each(['', '{"peerId":"12D3', 'null'])('a file that holds %j is made anew', async (text) => {
    await writeFile(join(folder, 'identity-0.json'), text)
    const made = await claimIdentity(folder)
    await made.release()
    expect((await claimIdentity(folder)).peerId).toBe(made.peerId)
  })

  test('a folder that cannot be made is named', async () => {
    const file = join(folder, 'file')
    await writeFile(file, '')
    await expect(claimIdentity(join(file, 'state'))).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining(`dir: expected a folder that can be written, but ${file}`) as string
    })
  })
})

test('nodes of one folder have names of their own, unless they were given one', async () => {
  const options = { dir: folder, slots: 0, mdns: false }
  await using first = await createDistNode(options)
  await using second = await createDistNode(options)
  await using third = await createDistNode({ ...options, name: 'attic' })
  expect([first, second, third].map(({ name }) => name)).toEqual([hostname(), `${hostname()}-2`, 'attic'])
})
