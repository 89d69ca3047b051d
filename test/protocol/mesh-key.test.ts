import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { MeshKey } from '../../src/protocol/mesh-key.ts'
import { meshKey } from './helpers/keys.ts'

const point = (key: MeshKey): string => key.generator(Buffer.from('ci'), Buffer.from('sid')).toString('hex')

test('white space around a password and the composition of accents do not count', async () => {
  const [composed, decomposed] = await Promise.all([
    MeshKey.derive('caf\u00e9 au lait', 'm'),
    MeshKey.derive('  cafe\u0301 au lait\n', 'm')
  ])
  expect(point(composed)).toBe(point(decomposed))
})

test('password and mesh both matter', async () => {
  const keys = await Promise.all([
    MeshKey.derive('one password', 'm'),
    MeshKey.derive('two password', 'm'),
    MeshKey.derive('one password', 'n')
  ])
  expect(new Set(keys.map(point)).size).toBe(3)
})

test('a key shows nothing secret, however it is printed', () => {
  const printed = [
    inspect(meshKey, { depth: 9, showHidden: true }),
    inspect({ nested: { meshKey } }, { depth: 9, showHidden: true }),
    JSON.stringify({ meshKey }),
    String(meshKey),
    Object.getOwnPropertyNames(meshKey).join()
  ]
  for (const text of printed.slice(0, 4)) expect(text).toContain('[secret]')
  expect(printed[4]).toBe('mesh,epoch')
})

test.each([
  ['an empty password', () => MeshKey.derive('  \n', 'm')],
  ['an empty mesh name', () => MeshKey.derive('password', '')],
  ['a mesh name with NUL', () => MeshKey.derive('password', 'a\0b')],
  ['a mesh name of 65 bytes', () => MeshKey.derive('password', 'x'.repeat(65))],
  ['a negative epoch', () => MeshKey.derive('password', 'm', -1)],
  ['an epoch of 2^32', () => MeshKey.derive('password', 'm', 2 ** 32)]
])('%s is refused', async (_, derive) => {
  await expect(derive()).rejects.toThrow(RangeError)
})
