import { beforeAll, describe, expect, test } from 'vitest'
import { WorkerProcess } from '../../src/worker/process.ts'
import type { Sandbox } from '../../src/worker/sandbox.ts'
import { TestWorker } from './run-jobs.ts'
import { allSandboxes } from './sandboxes.ts'

const sandboxes = await allSandboxes({ jobMemoryMb: 64 })

const endless = (): never => {
  for (;;);
}
const heapBomb = (): unknown => {
  const kept: unknown[] = []
  for (;;) kept.push(Array.from({ length: 1000 }, () => ({ a: kept.length })))
}

describe.each(sandboxes.map((sandbox) => [sandbox.level, sandbox] as const))(
  'level %s',
  (_level, sandbox: Sandbox) => {
    test('runs jobs of every kind, in order', async () => {
      await using worker = await TestWorker.open(sandbox)
      const outcomes = await worker.batch([
        () => 6 * 7,
        async () => {
          await new Promise((resolve) => setTimeout(resolve, 1))
          return 'later'
        },
        () => {
          throw new TypeError('no')
        },
        () => Buffer.from('bytes').toString('hex')
      ])
      const [number, later, error, hex] = await Promise.all(outcomes)
      expect(number).toMatchObject({ ok: true, value: 42 })
      expect(later).toMatchObject({ ok: true, value: 'later' })
      expect(error).toMatchObject({ ok: false, code: undefined, value: { name: 'TypeError', message: 'no' } })
      expect(hex).toMatchObject({ ok: true, value: '6279746573' })
      expect(worker.arrivals.map(({ result }) => result.job)).toEqual([0, 1, 2, 3])
    })

    test('a finished result does not wait for the next job, which blocks', async () => {
      await using worker = await TestWorker.open(sandbox)
      await worker.call(() => 0)
      const [first, second] = await worker.batch([
        () => Date.now(),
        () => {
          for (const until = Date.now() + 400; Date.now() < until;);
          return Date.now()
        }
      ])
      const firstAt = (await first?.then(() => Date.now())) as number
      const finishedAt = (await second)?.value as number
      // It came long before the other was done: 400 ms against a few, on any machine.
      expect(finishedAt - firstAt).toBeGreaterThan(200)
    })

    test('a time limit hits the job that runs too long, and no other', async () => {
      await using worker = await TestWorker.open(sandbox)
      const outcomes = await worker.batch([() => 1, () => 2, endless, () => 4], 200)
      expect(await outcomes[0]).toMatchObject({ value: 1 })
      expect(await outcomes[1]).toMatchObject({ value: 2 })
      const reason = await worker.exit
      expect(reason).toMatchObject({ kind: 'timeout', code: 'JOB_TIMEOUT', running: { job: 2, attempt: 1 } })
      expect(reason.unfinished).toEqual([{ job: 3, attempt: 1 }])
    })

    test('the limit counts from the start of each job', async () => {
      await using worker = await TestWorker.open(sandbox)
      const nap = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 150))
      const outcomes = await worker.batch([nap, nap, nap, nap], 400)
      expect((await Promise.all(outcomes)).every(({ ok }) => ok)).toBe(true)
    })

    test('memory: the job that runs out of it is blamed', async () => {
      await using worker = await TestWorker.open(sandbox)
      const outcomes = await worker.batch([() => 1, heapBomb, () => 3])
      expect(await outcomes[0]).toMatchObject({ value: 1 })
      const reason = await worker.exit
      expect(reason).toMatchObject({ kind: 'limit', code: 'JOB_MEMORY', running: { job: 1, attempt: 1 } })
      expect(reason.unfinished).toEqual([{ job: 2, attempt: 1 }])
    })

    test('results before a crash in one batch are all there', async () => {
      await using worker = await TestWorker.open(sandbox)
      await worker.call(() => 0)
      const quick = Array.from({ length: 500 }, () => () => 1)
      const outcomes = await worker.batch([...quick, endless, ...quick], 300)
      const reason = await worker.exit
      expect(reason.running).toEqual({ job: 501, attempt: 1 })
      expect(reason.unfinished).toHaveLength(500)
      expect((await Promise.all(outcomes.slice(0, 500))).every(({ value }) => value === 1)).toBe(true)
    })

    test('kill ends the process inside the sandbox too, and tells what was not done', async () => {
      await using worker = await TestWorker.open(sandbox)
      await worker.worker.ready
      void (await worker.batch([endless, endless]))
      const before = Date.now()
      await worker.worker.kill()
      expect(Date.now() - before).toBeLessThan(5_000)
      const reason = await worker.exit
      expect(reason).toMatchObject({ kind: 'killed', code: 'WORKER_KILLED' })
      expect(reason.running).toBeUndefined()
      expect(reason.unfinished).toHaveLength(2)
      expect(() => worker.worker.run({ timeoutMs: 0, jobs: [] })).toThrow(/living/)
    })

    test('setup runs once, before the first job; its error fails each job', async () => {
      const setup = (): void => {
        ;(globalThis as { count?: number }).count = ((globalThis as { count?: number }).count ?? 0) + 1
      }
      await using worker = await TestWorker.open(sandbox, { setup })
      const outcomes = await worker.batch([
        () => (globalThis as { count?: number }).count,
        () => (globalThis as { count?: number }).count
      ])
      expect((await Promise.all(outcomes)).map(({ value }) => value)).toEqual([1, 1])

      const failing = (): never => {
        throw new RangeError('no setup')
      }
      await using other = await TestWorker.open(sandbox, { setup: failing })
      const failed = await Promise.all(await other.batch([() => 1, () => 2]))
      for (const outcome of failed) {
        expect(outcome).toMatchObject({ ok: false, code: 'JOB_SETUP_FAILED', value: { name: 'RangeError' } })
      }
    })

    test('an error nobody catches belongs to the job that caused it', async () => {
      await using worker = await TestWorker.open(sandbox)
      const [leaves, throwsLater, rejects, waits] = await worker.batch([
        () => {
          setTimeout(() => {
            throw new Error('left behind')
          }, 5)
          return 'ended'
        },
        async () => {
          setTimeout(() => {
            throw new Error('mine')
          }, 30)
          await new Promise(() => {})
        },
        async () => {
          void Promise.reject(new Error('forgotten'))
          await new Promise((resolve) => setTimeout(resolve, 20))
        },
        () => new Promise((resolve) => setTimeout(() => resolve('quiet'), 20))
      ])
      expect(await leaves).toMatchObject({ ok: true, value: 'ended' })
      expect(await throwsLater).toMatchObject({ ok: false, value: { message: 'mine' } })
      expect(await rejects).toMatchObject({ ok: false, value: { message: 'forgotten' } })
      expect(await waits).toMatchObject({ ok: true, value: 'quiet' })
      const line = worker.logs.find(({ text }) => text.includes('left behind'))
      expect(line).toMatchObject({ job: 0, stream: 'stderr' })
    })
  }
)

describe('one sandbox is enough for', () => {
  let sandbox: Sandbox
  beforeAll(() => {
    sandbox = sandboxes[0] as Sandbox
  })

  test('console and process output, tagged with the job', async () => {
    await using worker = await TestWorker.open(sandbox)
    const outcomes = await worker.batch([
      () => console.log('one', { a: 1 }),
      async () => {
        setTimeout(() => console.error('two, late'), 10)
        await new Promise((resolve) => setTimeout(resolve, 1))
      },
      async () => {
        process.stdout.write('three')
        await new Promise((resolve) => setTimeout(resolve, 40))
      }
    ])
    await Promise.all(outcomes)
    expect(worker.logs).toEqual([
      { job: 0, stream: 'stdout', text: 'one { a: 1 }\n' },
      { job: 2, stream: 'stdout', text: 'three' },
      { job: 1, stream: 'stderr', text: 'two, late\n' }
    ])
  })

  test('output of a job is cut, and the job goes on', async () => {
    await using worker = await TestWorker.open(sandbox)
    const outcome = await worker.call(() => {
      const line = 'x'.repeat(1000)
      for (let count = 0; count < 8000; count++) console.log(line)
      return 'done'
    })
    expect(outcome).toMatchObject({ ok: true, value: 'done' })
    const bytes = worker.logs.reduce((sum, { text }) => sum + text.length, 0)
    expect(bytes).toBeLessThan(1.1 * 1024 * 1024)
    expect(worker.logs.at(-1)?.text).toMatch(/beyond 1048576 bytes is dropped/)
  })

  test('what cannot be read, printed or carried', async () => {
    await using worker = await TestWorker.open(sandbox, { maxResultBytes: 1000 })
    const large = await worker.call(() => 'x'.repeat(5000))
    expect(large).toMatchObject({ ok: false, code: 'RESULT_TOO_LARGE' })
    expect(large.value).toMatch(/1000 at most/)
    worker.worker.run({ timeoutMs: 0, jobs: [{ job: 99, attempt: 1, body: Buffer.from([0xff, 0xfe]) }] })
    await worker.call(() => 1)
    const unreadable = worker.arrivals.find(({ result }) => result.job === 99)?.result
    expect(unreadable).toMatchObject({ ok: false, code: 'JOB_UNREADABLE' })
  })

  test('large arguments and results, and results after them', async () => {
    await using worker = await TestWorker.open(sandbox)
    const bytes = new Uint8Array(8 * 1024 * 1024).fill(7)
    const outcomes = await worker.map((input: Uint8Array) => input.map((byte) => byte + 1), [bytes, bytes])
    for (const outcome of outcomes) {
      const value = (await outcome).value as Uint8Array
      expect(value.length).toBe(bytes.length)
      expect(value.every((byte) => byte === 8)).toBe(true)
    }
    expect(await worker.call(() => 'small')).toMatchObject({ value: 'small' })
  })

  test('recall: what is not in the child comes back at once, last first', async () => {
    await using worker = await TestWorker.open(sandbox)
    await worker.call(() => 0)
    const nap = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 30))
    await worker.call(nap)
    const outcomes = await worker.batch(Array.from({ length: 10 }, () => nap))
    const recalled = worker.worker.recall(4)
    expect(recalled).toEqual([11, 10, 9, 8].map((job) => ({ job, attempt: 1 })))
    const done = await Promise.all(outcomes.slice(0, 6))
    expect(done).toHaveLength(6)
    expect(worker.worker.recall(100)).toEqual([])
  })

  test('cancel takes back what waits', async () => {
    await using worker = await TestWorker.open(sandbox)
    const nap = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 30))
    void (await worker.batch(Array.from({ length: 5 }, () => nap)))
    expect(worker.worker.cancel(new Set([0, 2, 3]))).toEqual([2, 3].map((job) => ({ job, attempt: 1 })))
  })

  test('a worker process serves one run', async () => {
    const worker = WorkerProcess.spawn(sandbox)
    const listener = { results() {}, log() {}, exit() {} }
    worker.open({}, listener)
    expect(() => worker.open({}, listener)).toThrow(/one run/)
    await worker.kill()
  })

  test('built-ins one run has tampered with are whole in the next', async () => {
    await using first = await TestWorker.open(sandbox)
    const tamper = await first.call(() => {
      Object.assign(Array.prototype, { map: () => ['tampered'] })
      Object.assign(Promise, { resolve: () => 'tampered' })
      Object.assign(Object.prototype, { polluted: true })
      return 'done'
    })
    expect(tamper.ok).toBe(true)
    await using second = await TestWorker.open(sandbox)
    const outcome = await second.call(() => [[1].map((one) => one + 1)[0], 'polluted' in {}])
    expect(outcome).toMatchObject({ ok: true, value: [2, false] })
  })
})
