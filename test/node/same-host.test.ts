import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { SameHostBoard } from '../../src/node/network/same-host.ts'

let folder = ''
const boards: SameHostBoard[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dist-node-board-'))
  vi.stubEnv('XDG_RUNTIME_DIR', folder)
})

afterEach(async () => {
  await Promise.all(boards.splice(0).map((board) => board.close()))
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})

async function open(id: string, meshHash: string, found: string[]): Promise<SameHostBoard> {
  const addresses = ['/ip4/127.0.0.1/tcp/4001']
  const board = await SameHostBoard.open({ id, addresses, meshHash }, (node) => void found.push(node.id))
  boards.push(board)
  return board
}

test('nodes of one mesh in one process find each other, once; those of another mesh do not', async () => {
  const [a, b, c]: string[][] = [[], [], []]
  await open('a', 'mesh', a!)
  const second = await open('b', 'mesh', b!)
  await open('c', 'other', c!)
  expect([a, b, c]).toEqual([['b'], ['a'], []])
  expect(readdirSync(join(folder, 'dist-node')).toSorted()).toEqual(['a.json', 'b.json', 'c.json'])
  await second.close()
  const d: string[] = []
  await open('d', 'mesh', d)
  expect([a, b, d]).toEqual([['b', 'd'], ['a'], ['a']])
})

test('notes of other processes are read; those of processes that have ended are removed', async () => {
  const found: string[] = []
  const first = await open('a', 'mesh', [])
  const board = join(folder, 'dist-node')
  const note = (id: string, pid: number): void =>
    writeFileSync(join(board, `${id}.json`), JSON.stringify({ id, addresses: [], pid, meshHash: 'mesh' }))
  note('living', process.ppid)
  // No process has a number beyond the largest that Linux gives (2 ** 22).
  note('ended', 2 ** 22 + 1)
  writeFileSync(join(board, 'broken.json'), '{')
  await open('b', 'mesh', found)
  expect(found.toSorted()).toEqual(['a', 'living'])
  expect(readdirSync(board)).not.toContain('ended.json')
  await first.close()
})
