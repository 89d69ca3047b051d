import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { belongsToUs } from '../../src/cli/compile-cache.ts'

let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'dist-node-cache-'))))
afterEach(() => rmSync(folder, { recursive: true }))

test('compiled code is kept in a folder of one’s own, there or not yet there', () => {
  expect(belongsToUs(folder)).toBe(true)
  expect(belongsToUs(join(folder, 'not', 'yet'))).toBe(true)
})

test('not where everybody may write', () => {
  const open = join(folder, 'open')
  mkdirSync(open)
  chmodSync(open, 0o777)
  expect(belongsToUs(join(open, 'dist-node', 'compiled'))).toBe(false)
})

test.runIf(process.getuid?.() === 0)(
  'nor where somebody else may: root would execute what that one put there',
  () => {
    chownSync(folder, 12_345, 12_345)
    expect(belongsToUs(join(folder, 'dist-node'))).toBe(false)
  }
)
