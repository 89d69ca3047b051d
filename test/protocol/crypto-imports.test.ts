import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { expect, test } from 'vitest'

// Signing and key agreement stand in few files, so that reviewing those is reviewing all of it.

const SOURCE = join(import.meta.dirname, '../../src')
const ALLOWED: Record<string, readonly string[]> = {
  createHmac: ['protocol/cpace.ts', 'protocol/seal.ts'],
  diffieHellman: ['protocol/cpace.ts'],
  createCipheriv: ['protocol/seal.ts'],
  hkdfSync: ['protocol/handshake.ts'],
  scrypt: ['protocol/mesh-key.ts']
}

test.each(Object.entries(ALLOWED))('%s is used where it belongs alone', (name, files) => {
  const users = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .filter((file) =>
      new RegExp(`import \\{[^}]*\\b${name}\\b[^}]*\\} from 'node:crypto'`).test(
        readFileSync(join(SOURCE, file), 'utf8')
      )
    )
    .map((file) => relative('.', file))
  expect(users.toSorted()).toEqual(files)
})
