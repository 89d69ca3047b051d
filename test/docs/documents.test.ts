/** What the documents name exists: files, functions, commands, options. */
import { execFileSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const read = (file: string): string => readFileSync(join(root, file), 'utf8')

describe('ARCHITECTURE.md', () => {
  const steps = [...read('ARCHITECTURE.md').matchAll(/\| `([\w/.-]+\.ts)` → `(#?\w+)` \|/g)]

  test.each(steps.map(([, file, name]) => ({ file: file!, name: name! })))(
    '$file has $name',
    ({ file, name }) => {
      expect(read(`src/${file}`)).toMatch(new RegExp(`(?:function |async |^ +|get )${name}\\b`, 'm'))
    }
  )

  test('follows a job through at least ten of them', () => {
    expect(steps.length).toBeGreaterThan(9)
  })
})

describe.each([
  'README.md',
  'ARCHITECTURE.md',
  'PROTOCOL.md',
  'SECURITY.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...globSync('docs/*.md', { cwd: root })
])('%s', (file) => {
  test('links to files that exist', () => {
    const links = [...read(file).matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)].map(
      ([, target]) => target!
    )
    expect(links.filter((target) => !existsSync(join(root, dirname(file), target)))).toEqual([])
  })

  test('names source files that exist', () => {
    const names = [
      ...read(file).matchAll(/`((?:src|scripts|test|examples|docs)\/[\w/.-]+\.(?:ts|sh|md|svg|png))`/g)
    ].map(([, name]) => name!)
    expect(names.filter((name) => !existsSync(join(root, name)))).toEqual([])
  })
})

describe('the command line', () => {
  const help = (...args: string[]): string =>
    execFileSync(process.execPath, [join(root, 'bin/dist-node.mjs'), ...args, '--help'], { encoding: 'utf8' })
  const commands = [...help().matchAll(/^ {2}([a-z]+)(?: .*)?$/gm)]
    .map(([, name]) => name!)
    .filter((name) => name !== 'help')

  test('every command is in the README, and the other way round', () => {
    const documented = [...read('README.md').matchAll(/^\| `dist-node ([a-z]+)/gm)].map(([, name]) => name!)
    expect(documented.toSorted()).toEqual(commands.toSorted())
  })

  test('every option the documents name exists', () => {
    const options = new Set(['--version', '--help', '--password'])
    for (const command of commands)
      for (const [option] of help(command).matchAll(/--[a-z][a-z-]*/g)) options.add(option)
    const text = ['README.md', 'SECURITY.md', ...globSync('docs/*.md', { cwd: root })].map(read).join('\n')
    const named = [...text.matchAll(/`(?:dist-node [^`]*?)?(--[a-z][a-z-]+)[^`]*`/g)].map(
      ([, option]) => option!
    )
    const known = new Set([
      ...options,
      '--global',
      '--permission',
      '--json',
      '--retries',
      '--resume',
      '--max-semi-space-size',
      '--heap-growing-percent',
      '--always-sparkplug',
      '--no-lazy-feedback-allocation',
      '--max-lazy',
      '--joblog'
    ])
    expect(named.filter((option) => !known.has(option))).toEqual([])
  })

  test('the lines of start --json are those in docs/json-output.md', () => {
    const written = [...read('src/cli/actions/start.ts').matchAll(/\bprint\('([a-z-]+)'/g)].map(
      ([, event]) => event!
    )
    const [, section = ''] = read('docs/json-output.md').split(/^## start$/m)
    const documented = [...section.matchAll(/^\| (`[^|]*`) \|/gm)].flatMap(([, names = '']) =>
      [...names.matchAll(/`([a-z-]+)`/g)].map(([, event]) => event!)
    )
    expect(documented.toSorted()).toEqual(written.toSorted())
  })
})
