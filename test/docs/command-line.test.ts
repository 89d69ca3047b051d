import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { cliDocument } from '../../scripts/cli-docs.ts'

test('docs/command-line.md is what the commands say: npm run cli-docs', () => {
  const written = readFileSync(join(import.meta.dirname, '../../docs/command-line.md'), 'utf8')
  expect(written).toBe(cliDocument())
})
