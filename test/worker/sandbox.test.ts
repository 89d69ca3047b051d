import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { SandboxError } from '../../src/worker/errors.ts'
import type { Host } from '../../src/worker/host.ts'
import { readHost } from '../../src/worker/host.ts'
import { bwrapCommand } from '../../src/worker/level-bwrap.ts'
import { permissionCommand } from '../../src/worker/level-permission.ts'
import { unshareCommand } from '../../src/worker/level-unshare.ts'
import { SANDBOX_LEVELS } from '../../src/worker/level.ts'
import { probeSandbox } from '../../src/worker/sandbox.ts'
import { SpareWorkers } from '../../src/worker/spares.ts'
import { childFile } from './child-file.ts'
import { FakeChild } from './fake-child.ts'
import { allSandboxes } from './sandboxes.ts'

let file: string
let folder: string

beforeAll(async () => {
  file = await childFile()
  folder = mkdtempSync(join(tmpdir(), 'dist-node-sandbox-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

test('auto takes the strongest level that works', async () => {
  const [strongest] = await allSandboxes()
  const sandbox = await probeSandbox({ sandbox: 'auto', childFile: file })
  expect(sandbox.level).toBe(strongest?.level)
  const weaker = SANDBOX_LEVELS.slice(0, SANDBOX_LEVELS.indexOf(sandbox.level))
  for (const level of weaker) expect(sandbox.notes.join()).toContain(`${level}: `)
})

test('a minimum that is stronger than what is wanted', async () => {
  const probe = probeSandbox({ sandbox: 'permission', min: 'bwrap', childFile: file })
  await expect(probe).rejects.toThrow(/weaker than the wanted minimum "bwrap"/)
})

test('where nothing works, every level says why', async () => {
  const probe = probeSandbox({
    sandbox: 'auto',
    min: 'permission',
    childFile: join(import.meta.dirname, 'print-job.ts')
  })
  const error = await probe.catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(SandboxError)
  expect((error as SandboxError).reasons.map((reason) => reason.split(':')[0])).toEqual([...SANDBOX_LEVELS])
})

test('a program that is missing is named, with what to install', () => {
  const host: Host = { ...readHost(), root: true, find: () => undefined }
  const options = { allowNet: false, allowFsRead: [], jobMemoryMb: 64, childFile: file }
  expect(bwrapCommand(host, options)).toEqual({
    unavailable: expect.stringContaining('apt install bubblewrap') as string
  })
  expect(unshareCommand(host, options)).toEqual({
    unavailable: expect.stringContaining('util-linux') as string
  })
  expect(permissionCommand(host, options)).toEqual({
    unavailable: expect.stringContaining('setpriv') as string
  })
})

test('as root, a folder that nobody may not pass is named, and not only the module that was not found', () => {
  const host: Host = { root: true, node: realpathSync('/bin/sh'), find: (program) => `/usr/bin/${program}` }
  const closed = mkdtempSync('/tmp/dist-node-closed-')
  const childFile = join(closed, 'child.cjs')
  writeFileSync(childFile, '', { mode: 0o644 })
  const options = { allowNet: false, allowFsRead: [], jobMemoryMb: 64, childFile }
  try {
    expect(permissionCommand(host, options)).toEqual({
      unavailable: expect.stringContaining(`nobody, to whom ${closed} is closed`) as string
    })
    chmodSync(closed, 0o711)
    expect(permissionCommand(host, options)).toHaveProperty('command')
    chmodSync(childFile, 0o600)
    expect(permissionCommand(host, options)).toHaveProperty('unavailable')
  } finally {
    rmSync(closed, { recursive: true })
  }
})

test('nothing of this process’s environment is in the command', async () => {
  for (const sandbox of await allSandboxes()) {
    const { env, args } = sandbox.command()
    expect(env).toEqual({})
    expect(args).toContainEqual(expect.stringMatching(/prlimit|--data=/) as string)
    expect(args.join(' ')).toContain('--disable-sigusr1')
  }
})

test.each([
  ['itself', '.', '.'],
  ['above them', '..', '.'],
  ['inside them', 'inner', '.']
])('a readable folder that is %s of the secrets is refused', async (_name, readable, secret) => {
  const inner = join(folder, 'inner')
  mkdirSync(inner, { recursive: true })
  const options = { sandbox: 'auto', childFile: file } as const
  const probe = probeSandbox({
    ...options,
    allowFsRead: [join(folder, readable)],
    secretFolders: [join(folder, secret)]
  })
  await expect(probe).rejects.toThrow(/must not read/)
})

test.each([0, 31, 1.5, Number.NaN])('job memory of %d MiB is refused', async (jobMemoryMb) => {
  await expect(probeSandbox({ sandbox: 'auto', childFile: file, jobMemoryMb })).rejects.toThrow(
    /expected a whole number/
  )
})

test('spares are warm, used once, replaced, and gone in the end', async () => {
  using fake = new FakeChild('')
  const spares = new SpareWorkers(fake.sandbox, 2)
  const first = spares.take()
  await first.ready
  const second = spares.take()
  await second.ready
  expect(second).not.toBe(first)
  expect(second.pid).not.toBe(first.pid)
  await Promise.all([first.kill(), second.kill()])
  const third = spares.take()
  expect(third.ended).toBe(false)
  await third.ready
  await third.kill()
  await spares.close()
})

test('the process that ran the hello job is the first spare', async () => {
  const sandbox = await probeSandbox({ sandbox: 'auto', childFile: file, keepSpare: true })
  const spares = new SpareWorkers(sandbox, 1)
  const spare = spares.take()
  expect(spare.pid).toBeTypeOf('number')
  await spare.hello()
  expect(sandbox.takeSpare?.()).toBeUndefined()
  await spare.kill()
  await spares.close()
})

test('spares that cannot start are given up after a few', async () => {
  using fake = new FakeChild('process.exit(1)', '')
  const started: number[] = []
  const command = fake.sandbox.command()
  const spares = new SpareWorkers(
    { ...fake.sandbox, command: () => (started.push(started.length), command) },
    2
  )
  while (started.length < 5) await new Promise((resolve) => setTimeout(resolve, 10))
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect(started).toHaveLength(5)
  await spares.close()
})
