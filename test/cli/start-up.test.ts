/** What help and mistakes do not need is not loaded for them. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { DEFAULT_GRACE_MS } from '../../src/cli/commands/rotate.ts'
import { VERSION } from '../../src/cli/version.ts'
import * as library from '../../src/index.ts'

const source = join(import.meta.dirname, '../../src')

/** All that a file imports at once, directly or not: our own files by path, packages by name. */
function loadedWith(file: string, found: Set<string> = new Set()): Set<string> {
  const text = readFileSync(join(source, file), 'utf8')
  for (const [, from = ''] of text.matchAll(/^import (?!type )(?:[^'()=]* from )?'([^']+)'/gm)) {
    const name = from.startsWith('.') ? join(dirname(file), from) : from
    if (found.has(name)) continue
    found.add(name)
    if (from.startsWith('.')) loadedWith(name, found)
  }
  return found
}

test('--version loads nothing but Node', () => {
  const packages = [...loadedWith('cli/main.ts')].filter((name) => !name.endsWith('.ts'))
  expect(packages.filter((name) => !name.startsWith('node:'))).toEqual([])
})

test('--help loads the table of commands and neither the library nor what commands do', () => {
  const loaded = [...loadedWith('cli/program.ts')]
  expect(loaded).toContain('cli/commands/run.ts')
  expect(loaded.filter((name) => !name.endsWith('.ts') && !name.startsWith('node:'))).toEqual(['commander'])
  expect(loaded.filter((name) => !name.startsWith('cli/') && name.endsWith('.ts'))).toEqual([])
  expect(loaded.filter((name) => name.startsWith('cli/actions/'))).toEqual([])
})

test('what the command line says without the library is what the library says', () => {
  expect(VERSION).toBe(library.VERSION)
  expect(DEFAULT_GRACE_MS).toBe(library.DEFAULT_GRACE_MS)
})
