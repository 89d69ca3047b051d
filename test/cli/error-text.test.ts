import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { errorText, isUserError } from '../../src/cli/error-text.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dist-node-frame-'))
  writeFileSync(join(folder, 'jobs.ts'), 'one\ntwo\n\tthree()\nfour\nfive\nsix\n')
  mkdirSync(join(folder, 'folder.ts'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function errorAt(...frames: string[]): Error {
  const error = new RangeError('too many')
  error.stack = ['RangeError: too many', ...frames.map((frame) => `    at ${frame}`)].join('\n')
  return error
}

const text = (error: Error): string => stripVTControlCharacters(errorText(error))
const url = (file: string): string => pathToFileURL(join(folder, file)).href

test('the code around the place in the user’s file, then the frames of the user', () => {
  const ours = new URL('../../src/node/run/run.ts', import.meta.url).href
  const error = errorAt(
    `check (${url('jobs.ts')}:3:2)`,
    `ours (${ours}:1:1)`,
    'node:internal/x:1:1',
    `file (${url('jobs.ts')}:6:1)`
  )
  expect(text(error)).toBe(
    [
      'RangeError: too many',
      '',
      '    1 │ one',
      '    2 │ two',
      '  > 3 │  three()',
      '      │  ^',
      '    4 │ four',
      '    5 │ five',
      '',
      `    at check (${url('jobs.ts')}:3:2)`,
      `    at file (${url('jobs.ts')}:6:1)`
    ].join('\n')
  )
})

test.each(['/nowhere/jobs.ts', '/dev/zero', '/etc/passwd'])('no code for %s', (path) => {
  expect(text(errorAt(`check (${path}:1:1)`))).toBe(`RangeError: too many\n    at check (${path}:1:1)`)
})

test('no code for a folder, a line that is not there, or a file in a package', () => {
  for (const place of [
    `${join(folder, 'folder.ts')}:1:1`,
    `${join(folder, 'jobs.ts')}:99:1`,
    '/x/node_modules/y/z.js:1:1'
  ])
    expect(text(errorAt(`check (${place})`))).toBe(`RangeError: too many\n    at check (${place})`)
})

test('causes are told with the place where they come from', () => {
  const error = errorAt('check (/nowhere/jobs.ts:1:1)')
  const cause = errorAt('inner (/nowhere/inner.ts:2:2)', 'outer (/nowhere/inner.ts:3:3)')
  error.cause = cause
  cause.cause = 'because'
  expect(text(error).split('\n').slice(2)).toEqual([
    '  caused by: RangeError: too many',
    '    at inner (/nowhere/inner.ts:2:2)',
    '  caused by: because'
  ])
})

test('what a remote stack says cannot steer the terminal', () => {
  const error = errorAt('check (/nowhere/jobs.ts:1:1)')
  error.stack = `RangeError: too many \u001b[2J${error.stack}`
  expect(errorText(error)).not.toContain('\u001b[2J')
})

test('an error of ours or of Node has no code of the user in it', () => {
  const ours = new URL('../../dist/chunks/x.js', import.meta.url).href
  expect(isUserError(errorAt(`x (${ours}:1:1)`, 'node:fs:1:1'))).toBe(false)
  expect(isUserError(errorAt(`x (${url('jobs.ts')}:1:1)`))).toBe(true)
})

test('on a terminal the frame has colours, and the error brings none of its own', () => {
  vi.stubEnv('NO_COLOR', undefined)
  vi.stubEnv('FORCE_COLOR', '1')
  try {
    const error = errorAt(`check (${url('jobs.ts')}:3:2)`)
    error.stack = error.stack!.replace('too many', '\u001b[31mtoo many')
    expect(errorText(error)).toContain('\u001b[31m>\u001b[39m')
    expect(errorText(error)).toContain('RangeError: [31mtoo many')
  } finally {
    vi.unstubAllEnvs()
  }
})

test('of a long line, what is around the place', () => {
  writeFileSync(join(folder, 'long.ts'), `${'a'.repeat(300)}here()${'b'.repeat(300)}`)
  const [, , line = '', pointer = ''] = text(errorAt(`check (${url('long.ts')}:1:301)`)).split('\n')
  expect(line).toMatch(/^ {2}> 1 │ …a+here\(\)b+…$/)
  expect(line.length).toBeLessThanOrEqual(120)
  expect(line.slice(pointer.indexOf('^')).startsWith('here()')).toBe(true)
})
