import { createHash } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { deflateSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Sandbox } from '../../src/worker/sandbox.ts'
import { TestWorker } from './run-jobs.ts'
import { allSandboxes, sandboxOf } from './sandboxes.ts'

const sandboxes = await allSandboxes()
const strongest = sandboxes[0] as Sandbox

describe('ordinary Node works inside', () => {
  let worker: TestWorker
  beforeAll(async () => {
    worker = await TestWorker.open(strongest)
  })
  afterAll(() => worker.worker.kill())

  const jobs: [string, () => unknown, unknown][] = [
    [
      'imported crypto',
      () => createHash('sha1').update('x').digest('hex'),
      '11f6ad8ec52a2984abaafd7c3b516503785c2072'
    ],
    ['imported zlib', () => deflateSync('aaaa').length, 12],
    ['promisify', () => promisify((done: (error: null, value: number) => void) => done(null, 3))(), 3],
    ['dynamic import', async () => (await import('node:path')).join('a', 'b'), 'a/b'],
    ['Buffer', () => Buffer.from('äö').length, 4],
    [
      'process facts',
      () => [typeof process.version, process.platform.length > 2, process.env['HOME'], process.cwd()],
      ['string', true, undefined, '/']
    ],
    ['hrtime', () => process.hrtime.bigint() > 0n, true],
    ['memory usage', () => process.memoryUsage().rss > 1_000_000, true],
    [
      'nextTick and immediates',
      () => new Promise((resolve) => setImmediate(() => process.nextTick(resolve, 'ticked'))),
      'ticked'
    ],
    [
      'a stream pipeline',
      async () => {
        const { Readable } = await import('node:stream')
        return (
          await Readable.from([1, 2, 3])
            .map((one: number) => one * 2)
            .toArray()
        ).join()
      },
      '2,4,6'
    ],
    [
      'async local storage',
      async () => {
        const { AsyncLocalStorage } = await import('node:async_hooks')
        const storage = new AsyncLocalStorage<number>()
        return storage.run(5, async () => {
          await Promise.resolve()
          return storage.getStore()
        })
      },
      5
    ],
    [
      'events',
      async () => {
        const { EventEmitter, once } = await import('node:events')
        const emitter = new EventEmitter()
        setTimeout(() => emitter.emit('ready', 1), 1)
        return (await once(emitter, 'ready'))[0]
      },
      1
    ],
    [
      'URL and TextEncoder',
      () => new URL('http://a/b?c').search + new TextEncoder().encode('x').length,
      '?c1'
    ],
    ['web crypto', async () => (await crypto.subtle.digest('SHA-1', new Uint8Array(1))).byteLength, 20],
    ['structuredClone', () => structuredClone(new Map([[1, 2]])).get(1), 2],
    [
      'WebAssembly',
      () =>
        (
          globalThis as unknown as { WebAssembly: { validate(bytes: Uint8Array): boolean } }
        ).WebAssembly.validate(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])),
      true
    ],
    [
      'message channels',
      async () => {
        const { port1, port2 } = new MessageChannel()
        const answer = new Promise((resolve) =>
          port2.addEventListener('message', (event) => resolve(event.data))
        )
        port2.start()
        port1.postMessage('over')
        const text = await answer
        port1.close()
        return text
      },
      'over'
    ],
    ['__proto__', () => Reflect.get({ __proto__: { inherited: 1 } }, 'inherited') as unknown, 1],
    ['os, as far as harmless', async () => (await import('node:os')).availableParallelism() > 0, true],
    ['v8.serialize', async () => (await import('node:v8')).serialize(1).length > 0, true],
    [
      'a failed assertion',
      async () => {
        const { default: assert } = await import('node:assert')
        try {
          assert.fail()
        } catch (error) {
          return (error as Error).name
        }
        return 'nothing thrown'
      },
      'AssertionError'
    ],
    [
      'createRequire',
      async () => {
        const { createRequire } = await import('node:module')
        const { format } = createRequire('/x.js')('node:util') as { format: (...words: unknown[]) => string }
        return format('%s', 1)
      },
      '1'
    ]
  ]
  test.each(jobs)('%s', async (_name, job, expected) => {
    const outcome = await worker.call(job, 5_000)
    expect(outcome).toMatchObject({ ok: true })
    expect(outcome.value).toEqual(expected)
  })
})

describe('what is refused says how it could be allowed', () => {
  let worker: TestWorker
  beforeAll(async () => {
    worker = await TestWorker.open(strongest)
  })
  afterAll(() => worker.worker.kill())

  const jobs: [string, () => unknown, RegExp][] = [
    [
      'imported fs',
      () => readFileSync('/etc/passwd'),
      /^fs\.readFileSync is refused inside a job.*--allow-fs-read DIR/
    ],
    [
      'fs promises',
      async () => (await import('node:fs/promises')).readFile('/etc/passwd'),
      /fs\/promises\.readFile.*--allow-fs-read/
    ],
    ['http', () => createServer(), /^http\.createServer is refused.*--allow-net/],
    ['net', async () => (await import('node:net')).connect(80), /^net\.connect.*--allow-net/],
    [
      'dns',
      async () => (await import('node:dns')).promises.lookup('x'),
      /^dns\.promises\.lookup.*--allow-net/
    ],
    ['fetch', () => fetch('http://localhost/'), /^fetch is refused.*--allow-net/],
    ['a class', async () => new (await import('node:net')).Socket(), /^net\.Socket.*--allow-net/],
    [
      'child processes',
      async () => (await import('node:child_process')).execSync('id'),
      /^child_process\.execSync.*no option/
    ],
    [
      'threads',
      async () => new (await import('node:worker_threads')).Worker(''),
      /^worker_threads\.Worker.*no option/
    ],
    ['process.exit', () => process.exit(1), /^process\.exit is refused.*no option/],
    ['process.kill', () => process.kill(1), /^process\.kill is refused/],
    [
      'sqlite',
      async () => new (await import('node:sqlite')).DatabaseSync(':memory:'),
      /^sqlite\.DatabaseSync is refused/
    ],
    [
      'process.binding',
      () => (process as unknown as { binding(name: string): unknown }).binding('fs'),
      /^process\.binding/
    ]
  ]
  test.each(jobs)('%s', async (_name, job, message) => {
    const outcome = await worker.call(job, 5_000)
    expect(outcome).toMatchObject({ ok: false, value: { code: 'JOB_DENIED' } })
    expect((outcome.value as Error).message).toMatch(message)
  })

  test('a module that only extends what it may not use still loads', async () => {
    const outcome = await worker.call(async () => {
      const { Socket } = await import('node:net')
      class Mine extends Socket {}
      return Mine.name
    })
    expect(outcome).toMatchObject({ ok: true, value: 'Mine' })
  })
})

describe.each(sandboxes.map(({ level }) => [level] as const))('options at level %s', (level) => {
  test('--allow-fs-read opens one folder for reading, and nothing else', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dist-node-readable-'))
    chmodSync(folder, 0o755)
    const file = join(folder, 'data.txt')
    writeFileSync(file, 'read me')
    chmodSync(file, 0o644)
    try {
      const sandbox = (await sandboxOf(level, { allowFsRead: [folder] })) as Sandbox
      await using worker = await TestWorker.open(sandbox)
      const tries = await worker.map(
        async ({ file, folder }: { file: string; folder: string }) => {
          const fs = await import('node:fs')
          const attempt = (act: () => unknown): unknown => {
            try {
              return act()
            } catch (error) {
              return (error as { code?: string }).code
            }
          }
          return [
            attempt(() => fs.readFileSync(file, 'utf8')),
            attempt(() => fs.writeFileSync(file, 'changed')),
            attempt(() => fs.writeFileSync(`${folder}/new`, 'x')),
            attempt(() => fs.readFileSync('/etc/passwd').length)
          ]
        },
        [{ file, folder }]
      )
      const value = (await tries[0])?.value
      expect(value).toEqual(['read me', 'ERR_ACCESS_DENIED', 'ERR_ACCESS_DENIED', 'ERR_ACCESS_DENIED'])
      expect(readFileSync(file, 'utf8')).toBe('read me')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test('--allow-net lets jobs reach this machine', async () => {
    const server = createServer((_request, response) => response.end('reached'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      const { port } = server.address() as { port: number }
      const sandbox = (await sandboxOf(level, { allowNet: true })) as Sandbox
      await using worker = await TestWorker.open(sandbox)
      const [outcome] = await worker.map(
        async (port: number) => (await fetch(`http://127.0.0.1:${port}/`)).text(),
        [port]
      )
      expect(await outcome).toMatchObject({ ok: true, value: 'reached' })
      const names = await worker.call(async () => (await import('node:dns')).promises.lookup('localhost'))
      expect(names).toMatchObject({ ok: true })
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })
})
