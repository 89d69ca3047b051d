import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { allSandboxes } from './sandboxes.ts'

const sandboxes = await allSandboxes()
const GONE_WITHIN_MS = 5_000

describe.each(sandboxes.map(({ level }) => [level] as const))('level %s', (level) => {
  test('a node that is killed takes its worker processes along, even one in an endless loop', async () => {
    const script = join(import.meta.dirname, 'orphan-parent.ts')
    const parent = spawn(process.execPath, [script, level], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = (await once(parent.stdout, 'data')) as [Buffer]
    const pids = (JSON.parse(line.toString()) as number[]).filter((pid) => isAlive(pid))
    expect(pids.length).toBeGreaterThan(0)
    parent.kill('SIGKILL')
    await once(parent, 'exit')
    const until = Date.now() + GONE_WITHIN_MS
    while (pids.some(isAlive) && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 20))
    expect(pids.filter(isAlive)).toEqual([])
  })
})

/** Zombies count as gone: whoever adopts them has not looked yet. */
function isAlive(pid: number): boolean {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return !/\) [ZX] /.test(status)
  } catch {
    return false
  }
}
