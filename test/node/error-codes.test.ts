import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')

/** Node.js has this one too, and means the same. */
const FOREIGN = new Set(['MODULE_NOT_FOUND'])

/** `code = 'X'`, `code: 'X'`, and every code of a family wherever it is written. */
function codesInSource(): Set<string> {
  const text = globSync('src/**/*.ts', { cwd: ROOT })
    .map((file) => readFileSync(join(ROOT, file), 'utf8'))
    .join('\n')
  const found = text.matchAll(
    /\bcode(?:: string)?(?: =|:) '([A-Z]+(?:_[A-Z]+)*)'|'((?:JOB|RESULT|MESH|WORKER|JOURNAL)_[A-Z_]+)'/g
  )
  return new Set([...found].map(([, set, named]) => set ?? named!).filter((code) => !FOREIGN.has(code)))
}

function codesInDocument(): string[] {
  const text = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8')
  return [...text.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, code]) => code!)
}

test('docs/errors.md has every code there is, once, and no other', () => {
  const documented = codesInDocument()
  expect(documented.length).toBe(new Set(documented).size)
  expect(documented.toSorted()).toEqual([...codesInSource()].toSorted())
  expect(documented.length).toBeGreaterThan(30)
})
