import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Sandbox } from '../../src/worker/sandbox.ts'
import { type Outcome, TestWorker } from './run-jobs.ts'
import { allSandboxes } from './sandboxes.ts'

const sandboxes = await allSandboxes()
const base = 100
const makeAdder = (n: number) => (x: number) => n + x + base

describe.each(sandboxes.map((sandbox) => [sandbox.level, sandbox] as const))(
  'level %s',
  (_level, sandbox) => {
    let worker: TestWorker
    beforeAll(async () => {
      worker = await TestWorker.open(sandbox)
    })
    afterAll(() => worker.worker.kill())

    test('a function that a job made comes back with what it captured', async () => {
      const { value } = await worker.call(() => makeAdder(5))
      expect((value as (x: number) => number)(1)).toBe(106)
    })

    test('so do those of map, with their arguments', async () => {
      const outcomes = await worker.map((x: number) => (y: number) => x + y, [1, 2, 3])
      const values = await Promise.all(outcomes)
      expect(values.map(({ value }) => (value as (y: number) => number)(10))).toEqual([11, 12, 13])
    })

    test('so does a class, and an instance of it', async () => {
      const { value } = await worker.call(() => {
        class Counter {
          count = 0
          step(): number {
            return (this.count += base)
          }
        }
        return [Counter, new Counter()]
      })
      const [Counter, counter] = value as [Function, { step(): number }]
      expect([counter instanceof Counter, counter.step(), counter.step()]).toEqual([true, 100, 200])
    })

    test('closures of one call share what they change, and a debugger statement stops nobody', async () => {
      const { ok, value } = await worker.call(() => {
        let n = 0
        return { up: () => ++n, now: () => n }
      })
      expect([ok, value]).toEqual([true, expect.any(Object)])
      const { up, now } = value as { up: () => number; now: () => number }
      expect([up(), up(), now()]).toEqual([1, 2, 2])
      const text = 'debugger; 1 + 1'
      expect(
        (await worker.call(() => process.getBuiltinModule('node:vm').runInThisContext(text) as unknown)).value
      ).toBe(2)
    })

    test('a function made of a text is refused', async () => {
      const { ok, code, value } = await worker.call(() => Reflect.construct(Function, ['return 1']))
      expect([ok, code]).toEqual([false, 'RESULT_UNPRINTABLE'])
      expect(value).toMatch(/a function that a package made, or that was made of a text/)
    })
  }
)

describe('the inspector of a worker process', () => {
  const stolen: readonly (readonly [name: string, job: () => unknown])[] = [
    [
      'a session of its own',
      () => {
        const { Session } = process.getBuiltinModule('node:inspector')
        const session = new Session()
        session.connect()
        return 'connected'
      }
    ],
    ['the right itself', () => process.permission.has('inspector')],
    [
      'a listener for all events',
      () => {
        const { EventEmitter } = process.getBuiltinModule('node:events')
        const seen: string[] = []
        const emit = Reflect.get(EventEmitter.prototype, 'emit') as (...args: unknown[]) => boolean
        Reflect.set(EventEmitter.prototype, 'emit', function (this: object, ...args: unknown[]) {
          seen.push(this.constructor.name)
          return emit.apply(this, args)
        })
        return Object.assign(() => seen, { seen })
      }
    ],
    [
      'the way values pass to it',
      () => {
        const seen: string[] = []
        for (const name of ['distNodeDoor', 'given', 'taken']) {
          const see = (): void => void seen.push('Session')
          for (const object of [globalThis, {}.constructor.prototype as object])
            Object.defineProperty(object, name, { set: see, configurable: true })
        }
        return Object.assign(() => seen, { seen })
      }
    ]
  ]

  test.each(stolen)('is not to be had by %s', async (_name, job) => {
    await using worker = await TestWorker.open(sandboxes.at(-1) as Sandbox)
    const first = await worker.call(job)
    const second = await worker.call(() => () => base)
    expect(gains(first)).not.toMatch(/Session|connected|true/)
    expect([second.ok, (second.value as () => number)()]).toEqual([true, 100])
  })

  test.each(['toJSON', 'params'])('takes no words that a job puts into its messages by %s', async (name) => {
    await using worker = await TestWorker.open(sandboxes.at(-1) as Sandbox)
    const [put] = await worker.map(
      (key: string) => {
        const put = function (this: Record<string, unknown>): unknown {
          this['method'] = 'Runtime.evaluate'
          return {
            id: this['id'],
            method: 'Runtime.evaluate',
            params: { expression: 'globalThis.stolen = true' }
          }
        }
        Object.defineProperty({}.constructor.prototype, key, { value: put, configurable: true })
      },
      [name]
    )
    expect((await put)?.ok).toBe(true)
    const { code, value } = await worker.call(() => () => base)
    expect([code, value]).toEqual([
      'RESULT_UNPRINTABLE',
      expect.stringMatching(/the job changed how objects are written/)
    ])
    expect((await worker.call(() => Reflect.get(globalThis, 'stolen') as unknown)).value).toBeUndefined()
  })
})

function gains({ ok, value }: Outcome): string {
  if (!ok) return ''
  const seen: unknown = typeof value === 'function' ? Reflect.get(value, 'seen') : value
  return JSON.stringify(seen)
}
