import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { PreparedAnswers } from '../../src/cli/prepared-answers.ts'
import { TestMesh } from './harness.ts'

const BUILT = join(import.meta.dirname, '../../dist/cli')

const COMMANDS = [
  'init',
  'join',
  'start',
  'run',
  'eval',
  'runs',
  'results',
  'cache',
  'peers',
  'doctor',
  'rotate',
  'completion'
]

async function help(mesh: TestMesh, command: string): Promise<string> {
  const running = mesh.command([command, '--help'])
  expect(await running.exit(), running.stderr).toBe(0)
  return running.lines.join('\n')
}

test('every command is in the help, and each has examples, durations and defaults as one types them', async () => {
  await using mesh = new TestMesh()
  const overview = mesh.command(['--help'])
  expect(await overview.exit()).toBe(0)
  const listed = overview.lines.flatMap((line) => /^ {2}([a-z]+) (?=.*  )/.exec(line)?.[1] ?? [])
  expect(listed).toEqual(expect.arrayContaining(COMMANDS))
  const texts = await Promise.all(COMMANDS.map((command) => help(mesh, command)))
  for (const [at, text] of texts.entries()) {
    expect(text).toMatch(new RegExp(`\n\nExamples:\n  \\$ dist-node ${COMMANDS[at]}`))
    expect(text).not.toMatch(/default: (\[\]|"|\d{4,}0\))/)
    if (text.includes('<duration>')) expect(text).toContain('Durations are written 500ms, 30s, 5m, 2h.')
  }
  expect(texts[COMMANDS.indexOf('rotate')]).toMatch(/default:\s+24h\)/)
})

test('help that the build wrote down is what the table of commands says', async () => {
  await using mesh = new TestMesh()
  for (const command of ['run', 'rotate']) {
    const asked = mesh.command(['help', command])
    expect(await asked.exit(), asked.stderr).toBe(0)
    expect(await help(mesh, command)).toBe(asked.lines.join('\n'))
  }
  const { help: written } = JSON.parse(readFileSync(join(BUILT, 'answers.json'), 'utf8')) as PreparedAnswers
  expect(Object.keys(written)).toEqual(expect.arrayContaining(['', ...COMMANDS]))
})
