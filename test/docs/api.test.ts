import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { apiDocument, undocumented } from '../../scripts/api-docs/main.ts'

test('docs/api.md is what the docstrings say: npm run api-docs', () => {
  const written = readFileSync(join(import.meta.dirname, '../../docs/api.md'), 'utf8')
  expect(written).toBe(apiDocument())
})

test('whatever is public has a docstring, and functions and classes an example', () => {
  expect(undocumented()).toEqual([])
})

test('links within docs/api.md lead somewhere', () => {
  const text = apiDocument()
  const anchors = new Set<string>()
  for (const [, heading = ''] of text.matchAll(/^#{2,4} (.+)$/gm)) {
    const slug = heading.toLowerCase().replaceAll(/[^\w -]/g, '')
    const times = [...anchors].filter((anchor) => anchor.replace(/-\d+$/, '') === slug).length
    anchors.add(times === 0 ? slug : `${slug}-${times}`)
  }
  const links = [...text.matchAll(/\]\(#([^)]+)\)/g)].map(([, target]) => target!)
  expect(links.length).toBeGreaterThan(50)
  expect(links.filter((target) => !anchors.has(target))).toEqual([])
})
