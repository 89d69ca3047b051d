/** A node that is started, stopped and refused at awkward moments: nothing of it stays. */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createDistNode, type DistNode, makePassword } from '../../src/index.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dist-node-life-'))
})

afterEach(() => rm(folder, { recursive: true }))

function create(): Promise<DistNode> {
  return createDistNode({
    password: makePassword(),
    dir: folder,
    slots: 0,
    listen: ['/ip4/127.0.0.1/tcp/0'],
    mdns: false,
    sameHost: false,
    start: false
  })
}

const listening = (): number =>
  process.getActiveResourcesInfo().filter((resource) => resource === 'TCPServerWrap').length

test('starting twice joins once', async () => {
  const before = listening()
  const node = await create()
  await Promise.all([node.start(), node.start()])
  expect(listening()).toBe(before + 1)
  await node.stop()
  expect(listening()).toBe(before)
})

test('stopped while it joins, twice: when stop has resolved nothing of it is there', async () => {
  const before = listening()
  const node = await create()
  const starting = node.start()
  const stopping = node.stop()
  await node.stop()
  expect(listening()).toBe(before)
  expect((await readdir(folder)).filter((name) => name.endsWith('.lock'))).toEqual([])
  await Promise.all([starting, stopping])
  await node.start()
  expect(listening()).toBe(before)
})

test('a node that cannot be made leaves no lock behind', async () => {
  const wrong = { dir: folder, slots: 1, allowFsRead: [join(folder, 'nowhere')] }
  await expect(createDistNode(wrong)).rejects.toThrow(/allowFsRead/)
  expect((await readdir(folder)).filter((name) => name.endsWith('.lock'))).toEqual([])
})
