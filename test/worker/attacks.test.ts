import { chmodSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Command } from '../../src/worker/level.ts'
import type { Sandbox } from '../../src/worker/sandbox.ts'
import { ATTACKS } from './attacks/all.ts'
import { residueOf } from './attacks/residue.ts'
import { runBare } from './attacks/run-bare.ts'
import { Stage } from './attacks/stage.ts'
import { TestWorker } from './run-jobs.ts'
import { allSandboxes } from './sandboxes.ts'

const NODE_MAJOR = Number(process.versions.node.split('.')[0])
const ALL_MS = 120_000

let stage: Stage
let folder: string
let bareChild: string

beforeAll(async () => {
  stage = await Stage.open()
  folder = mkdtempSync(join(tmpdir(), 'dist-node-bare-'))
  chmodSync(folder, 0o755)
  bareChild = join(folder, 'bare-child.cjs')
  copyFileSync(join(import.meta.dirname, 'attacks/bare-child.cjs'), bareChild)
})

afterAll(() => {
  stage.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Names of the attacks that got something, and what. */
async function runAll(command: Command): Promise<Map<string, string>> {
  const got = new Map<string, string>()
  const queue = [...ATTACKS]
  const runner = async (): Promise<void> => {
    for (let attack = queue.shift(); attack !== undefined; attack = queue.shift()) {
      const loot = await runBare(command, attack, stage.target)
      if (loot !== '') got.set(attack.name, loot)
    }
  }
  await Promise.all([runner(), runner(), runner()])
  return got
}

test('without a sandbox nearly every attack works: they are no straw men', { timeout: ALL_MS }, async () => {
  const env = { ...process.env } as Record<string, string>
  const got = await runAll({ file: process.execPath, args: [bareChild], env })
  const harmless = ATTACKS.filter(({ name }) => !got.has(name)).map(({ name }) => name)
  expect(got.size, `without effect: ${harmless.join(', ')}`).toBeGreaterThanOrEqual(50)
})

const sandboxes = await allSandboxes()

describe.each(sandboxes.map((sandbox) => [sandbox.level, sandbox] as const))('level %s', (level, sandbox) => {
  test(
    'kernel and permission model alone leave no more than is documented',
    { timeout: ALL_MS },
    async () => {
      const residue = residueOf(level, NODE_MAJOR)
      const got = await runAll(withChild(sandbox, bareChild))
      const surprises = [...got].filter(([name]) => !residue.has(name))
      expect(surprises).toEqual([])
    }
  )

  test('descriptors run out early', async () => {
    const attack = (): string => {
      const fs = process.getBuiltinModule('node:fs')
      let count = 0
      try {
        for (; count < 10_000; count++) fs.openSync(process.argv[1] as string, 'r')
      } catch (error) {
        return `${(error as { code?: string }).code} after ${count}`
      }
      return `${count} and more`
    }
    const loot = await runBare(withChild(sandbox, bareChild), { name: 'descriptors', attack }, stage.target)
    expect(loot).toMatch(/^EMFILE after \d\d$/)
  })

  test('no attack written as a job gets anything', { timeout: ALL_MS }, async () => {
    const got: [string, unknown][] = []
    let worker = await TestWorker.open(sandbox)
    for (const { name, attack } of ATTACKS) {
      try {
        const [outcome] = await worker.map(attack, [stage.target], 3_000)
        const { ok, value } = (await outcome) as { ok: boolean; value: unknown }
        if (ok && value !== undefined && value !== '') got.push([name, value])
      } catch {
        // It ended its own worker process.
        await worker.worker.kill()
        worker = await TestWorker.open(sandbox)
      }
    }
    await worker.worker.kill()
    expect(got).toEqual([])
  })
})

/** The command line of a sandbox, with another program in the place of our child. */
function withChild(sandbox: Sandbox, file: string): Command {
  const { file: program, args, env } = sandbox.command()
  const ours = childOf(args)
  return { file: program, args: args.map((arg) => arg.replaceAll(ours, file)), env }
}

function childOf(args: readonly string[]): string {
  const found = args.join(' ').match(/[^\s'"=]*\/child\.cjs/)
  if (found === null) throw new Error('no child in the command line')
  return found[0]
}
