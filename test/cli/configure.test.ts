import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { addJoin } from '../../src/cli/commands/join.ts'
import { addRun } from '../../src/cli/commands/run.ts'
import { addStart } from '../../src/cli/commands/start.ts'
import { configure, PROJECT_KEYS } from '../../src/cli/configure.ts'
import { ExitError } from '../../src/cli/exit.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dist-node-config-'))
  mkdirSync(join(folder, 'dist-node'))
  mkdirSync(join(folder, 'project/inside'), { recursive: true })
  vi.stubEnv('XDG_CONFIG_HOME', folder)
  vi.stubEnv('DIST_NODE_CONFIG', '')
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

const userFile = (content: unknown): void =>
  writeFileSync(join(folder, 'dist-node/config.json'), JSON.stringify(content), { mode: 0o600 })
const projectFile = (content: unknown): void =>
  writeFileSync(join(folder, 'project/dist-node.config.json'), JSON.stringify(content))

/** The options a command gets for what is typed in a folder of the project. */
function optionsOf(...typed: string[]): Record<string, unknown> {
  const program = new Command().exitOverride()
  for (const add of [addRun, addStart, addJoin]) add(program)
  let options: Record<string, unknown> = {}
  for (const command of program.commands)
    command.action(() => {
      options = command.opts()
    })
  program.hook('preAction', (_program, command) => void configure(command, join(folder, 'project/inside')))
  program.parse(typed, { from: 'user' })
  return options
}

describe('what wins', () => {
  test('typed, then the project, then the user, then the default', () => {
    userFile({ timeout: '1m', retries: 2, slots: 3, wait: '1s' })
    projectFile({ timeout: '2m', retries: 3 })
    expect(optionsOf('run', 'jobs.ts', '--timeout', '3m')).toMatchObject({
      timeout: 180_000, retries: 3, slots: 3, wait: 1_000, mesh: 'default'
    }) // prettier-ignore
  })

  test.runIf(process.getuid?.() === 0)('what another user put into a folder above counts for nothing', () => {
    projectFile({ retries: 9 })
    expect(optionsOf('run', 'jobs.ts')).toMatchObject({ retries: 9 })
    chownSync(join(folder, 'project/dist-node.config.json'), 12_345, 12_345)
    expect(optionsOf('run', 'jobs.ts')['retries']).not.toBe(9)
  })

  test('nor does what is no file', () => {
    mkdirSync(join(folder, 'project/dist-node.config.json'))
    expect(() => optionsOf('run', 'jobs.ts')).not.toThrow()
  })

  test('the object of the command before what stands outside of it', () => {
    userFile({ slots: 8, start: { slots: 2, nice: 10 } })
    expect(optionsOf('start')).toMatchObject({ slots: 2, nice: 10 })
    expect(optionsOf('run', 'jobs.ts')).toMatchObject({ slots: 8 })
  })

  test('lists, switches and choices', () => {
    userFile({
      peer: ['/ip4/10.0.0.7/tcp/1', '/ip4/10.0.0.8/tcp/1'],
      mdns: false,
      allowNet: true,
      sandbox: 'bwrap'
    })
    expect(optionsOf('run', 'jobs.ts')).toMatchObject({
      peer: ['/ip4/10.0.0.7/tcp/1', '/ip4/10.0.0.8/tcp/1'], mdns: false, allowNet: true, sandbox: 'bwrap'
    }) // prettier-ignore
    expect(optionsOf('run', 'jobs.ts', '--peer', '/ip4/10.0.0.9/tcp/1')['peer']).toEqual([
      '/ip4/10.0.0.9/tcp/1'
    ])
  })

  test('DIST_NODE_CONFIG names another user file', () => {
    userFile({ slots: 1 })
    writeFileSync(join(folder, 'other.json'), '{"slots": 5}', { mode: 0o600 })
    vi.stubEnv('DIST_NODE_CONFIG', join(folder, 'other.json'))
    expect(optionsOf('start')['slots']).toBe(5)
    vi.stubEnv('DIST_NODE_CONFIG', join(folder, 'nowhere.json'))
    expect(() => optionsOf('start')).toThrow(/nowhere\.json: no such file/)
  })
})

describe('what is refused, naming file and key', () => {
  test.each([
    [{ timout: '1m' }, /config\.json: timout does not exist; known are .*timeout/],
    [{ run: { nice: 3 } }, /run\.nice does not exist; known are /],
    [{ run: 3 }, /run: expected an object with options of dist-node run/],
    [{ password: 'hunter2' }, /password does not belong in a configuration file; dist-node join stores it/],
    [{ start: { password: 'hunter2' } }, /start\.password: a password does not belong/],
    [{ json: true }, /json is for a single command line/],
    [{ timeout: '5 minutes' }, /timeout: Expected a duration such as 500ms, 30s or 5m, got '5 minutes'/],
    [{ timeout: true }, /timeout: expected what --timeout <duration> takes, got true/],
    [{ slots: -1 }, /slots: Expected a whole number, got '-1'/],
    [{ sandbox: 'none' }, /sandbox: Allowed choices are auto, bwrap, unshare, permission/],
    [{ mdns: 'no' }, /mdns: expected true or false, got "no"/],
    [{ peer: '/ip4/10.0.0.7/tcp/1' }, /peer: expected a list of texts, got/],
    [{ peer: [{}] }, /peer: expected a list of texts, got/],
    [[], /expected a JSON object/]
  ])('%j in the user’s file', (content, says) => {
    userFile(content)
    expect(() => optionsOf('run', 'jobs.ts')).toThrow(says)
    expect(() => optionsOf('run', 'jobs.ts')).toThrow(ExitError)
  })

  test.each([
    'allowNet',
    'allowFsRead',
    'sandbox',
    'sandboxMin',
    'passwordFile',
    'dir',
    'slots',
    'listen',
    'nice'
  ])('%s in the file of a project', (key) => {
    projectFile({ [key]: 'x' })
    expect(() => optionsOf('start')).toThrow(
      new RegExp(`dist-node\\.config\\.json: ${key} .*for the user's own file only`)
    )
  })

  test('a file that is no JSON, or that others can write', () => {
    writeFileSync(join(folder, 'dist-node/config.json'), '{"slots": 2,}', { mode: 0o600 })
    expect(() => optionsOf('start')).toThrow(/config\.json: not JSON: /)
    userFile({ slots: 2 })
    chmodSync(join(folder, 'dist-node/config.json'), 0o666)
    expect(() => optionsOf('start')).toThrow(/others can write it; run: chmod go-w/)
  })
})

test('the document names the keys that a project may set', () => {
  const text = readFileSync(join(import.meta.dirname, '../../docs/configuration.md'), 'utf8')
  const [, list = ''] = /it can only set how runs go:\n([\s\S]*?)\. What/.exec(text) ?? []
  expect([...list.matchAll(/`(\w+)`/g)].map(([, key]) => key)).toEqual([...PROJECT_KEYS])
})
