import { describe, expect, test } from 'vitest'
import type { Sandbox } from '../../src/worker/sandbox.ts'
import { TestWorker } from './run-jobs.ts'
import { allSandboxes } from './sandboxes.ts'

const sandboxes = await allSandboxes({ jobMemoryMb: 64 })

/** Each asks for far more than the 64 MiB it may have, and says how much it got. */
const memoryBombs: [string, () => number][] = [
  [
    'buffers',
    () => {
      const kept: Buffer[] = []
      while (kept.length < 4096) kept.push(Buffer.alloc(1024 * 1024, 1))
      return kept.length
    }
  ],
  [
    'one array buffer of 4 GiB',
    () => {
      const bytes = new Uint8Array(4 * 1024 ** 3)
      for (let at = 0; at < bytes.length; at += 4096) bytes[at] = 1
      return bytes.length
    }
  ],
  ['shared memory of 4 GiB', () => new Uint8Array(new SharedArrayBuffer(4 * 1024 ** 3)).fill(1).length],
  [
    'WebAssembly memory of 4 GiB',
    () => {
      type Memory = { buffer: ArrayBuffer; grow(pages: number): void }
      const { WebAssembly } = globalThis as unknown as {
        WebAssembly: { Memory: new (limits: object) => Memory }
      }
      const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536 })
      memory.grow(65_000)
      return new Uint8Array(memory.buffer).fill(1).length
    }
  ],
  [
    'strings',
    () => {
      const kept: string[] = []
      while (kept.length < 1_000_000) kept.push(`${kept.length}`.padEnd(10_000, 'x').replace('x', 'y'))
      return kept.length
    }
  ]
]

describe.each(sandboxes.map((sandbox) => [sandbox.level, sandbox] as const))(
  'level %s',
  (_level, sandbox: Sandbox) => {
    test.each(memoryBombs)('memory: %s', async (_name, bomb) => {
      await using worker = await TestWorker.open(sandbox)
      const outcome = await worker.call(bomb, 20_000).catch(() => undefined)
      if (outcome === undefined) {
        expect(await worker.exit).toMatchObject({ code: 'JOB_MEMORY', running: { job: 0, attempt: 1 } })
      } else {
        expect(outcome).toMatchObject({ ok: false, value: { name: 'RangeError' } })
      }
    })

    test('a regular expression without end is stopped by the time limit', async () => {
      await using worker = await TestWorker.open(sandbox)
      void (await worker.batch([() => /^(a+)+$/.test(`${'a'.repeat(64)}!`)], 200))
      expect(await worker.exit).toMatchObject({ code: 'JOB_TIMEOUT', running: { job: 0, attempt: 1 } })
    })

    test('an endless stream of microtasks is stopped by the time limit', async () => {
      await using worker = await TestWorker.open(sandbox)
      const bomb = (): Promise<never> => {
        const again = (): Promise<void> => Promise.resolve().then(again)
        void again()
        return new Promise(() => {})
      }
      void (await worker.batch([bomb], 200))
      expect(await worker.exit).toMatchObject({ code: 'JOB_TIMEOUT', running: { job: 0, attempt: 1 } })
    })
  }
)
