import { describe, expect, test } from 'vitest'
import { ReadError } from '../../src/codec/errors.ts'
import { InspectorSession } from '../../src/codec/print/inspector-session.ts'
import { Printer } from '../../src/codec/print/print.ts'
import { ResultPrinter } from '../../src/codec/print/print-result.ts'
import { Reader } from '../../src/codec/read/read.ts'

const printer = new Printer()
const reader = new Reader()
const results = new ResultPrinter(reader, new InspectorSession())

/** What a job returns, as after a journey to a worker process and back. */
async function run<T>(job: () => T): Promise<Awaited<T>> {
  return printer.readResult(await resultOf(job)) as Awaited<T>
}

async function resultOf(job: () => unknown): Promise<Uint8Array> {
  const { bytes, units } = await printer.print(job, 'job 0')
  for (const hash of units) reader.addUnit(hash, printer.unit(hash))
  return results.print(await (reader.read(bytes) as () => unknown)())
}

const base = 100
const makeAdder = (n: number) => (x: number) => n + x + base
class Sent {
  kind = 'sent'
}

describe('functions made while a job ran', () => {
  test('bring what they captured, of every scope around them', async () => {
    expect((await run(() => makeAdder(5)))(1)).toBe(106)
    const deep = await run(() => (x: number) => {
      const sum = x + base
      return (y: number) => sum + y
    })
    expect(deep(1)(2)).toBe(103)
  })

  test('of each syntax', async () => {
    const made = await run(() => {
      const n = 4
      const key = 'computed'
      return {
        method: {
          plus(x: number) {
            return n + x
          }
        },
        named: function twice() {
          return n * 2
        },
        [key]: () => n,
        async later() {
          return n
        },
        *count() {
          yield n
          yield n + 1
        },
        list: [(x = n) => x]
      }
    })
    expect([
      made.method.plus(1),
      made.named(),
      made.computed(),
      await made.later(),
      [...made.count()]
    ]).toEqual([5, 8, 4, 4, [4, 5]])
    expect([made.list[0]?.(), made.named.name, made.method.plus.name]).toEqual([4, 'twice', 'plus'])
  })

  test('find themselves and one another', async () => {
    const factorial = await run(() => {
      const times = (n: number, rest: number): number => n * rest
      return function factorial(n: number): number {
        return n < 2 ? 1 : times(n, factorial(n - 1))
      }
    })
    expect(factorial(5)).toBe(120)
    const made = await run(() => {
      const isEven = (n: number): boolean => n === 0 || isOdd(n - 1)
      const isOdd = (n: number): boolean => n !== 0 && isEven(n - 1)
      return { isEven, isOdd }
    })
    expect([made.isEven(10), made.isOdd(10)]).toEqual([true, false])
  })

  test('are told apart where they are written alike', async () => {
    const [one, two] = await run(() => {
      const first = () => {
        const n = 1
        return () => n
      }
      const second = () => {
        const n = 2
        return () => n
      }
      return [first(), second()] as const
    })
    expect([one(), two()]).toEqual([1, 2])
  })

  test('with properties, bound, frozen', async () => {
    const made = await run(() => {
      const add = (a: number, b: number): number => a + b
      return [
        Object.assign((x: number) => x + base, { version: 2 }),
        add.bind(null, 1),
        Object.freeze(() => base)
      ] as const
    })
    expect([made[0](1), made[0].version, made[1](2), Object.isFrozen(made[2])]).toEqual([101, 2, 3, true])
  })

  test('classes, their parents and statics, and instances of them', async () => {
    const { Base, Derived, made, error } = await run(() => {
      let evaluations = 0
      class Base {
        static evaluations = ++evaluations
        static #secret = 10n ** 20n
        x = base
        static secret(): bigint {
          return Base.#secret
        }
        get double(): number {
          return this.x * 2
        }
      }
      class Derived extends Base {
        y = 2
        sum(): number {
          return this.x + this.y + Derived.evaluations
        }
      }
      class Mine extends Sent {}
      class Failure extends Error {
        readonly code = 7
      }
      return { Base, Derived, made: [new Derived(), new Mine()] as const, error: new Failure('x') }
    })
    expect(made[0]).toBeInstanceOf(Derived)
    expect([made[0].sum(), made[0].double, new Derived().sum(), Base.secret()]).toEqual([
      103,
      200,
      103,
      10n ** 20n
    ])
    expect([made[1] instanceof Sent, made[1].kind]).toEqual([true, 'sent'])
    expect([error instanceof Error, error.constructor.name, error.code, error.message]).toEqual([
      true,
      'Failure',
      7,
      'x'
    ])
  })

  test('go on to the next job, and come back from it', async () => {
    const add = await run(() => makeAdder(5))
    expect((await run(() => [add, add(1)] as const))[1]).toBe(106)
    const both = await run(() => [add, (x: number) => add(x) * 2] as const)
    expect([both[0](1), both[1](1)]).toEqual([106, 212])
  })

  test('throw where they are written', async () => {
    const fail = await run(() => () => {
      throw new Error('here')
    })
    const { stack } = thrown(fail)
    expect(stack).toMatch(/made-functions\.test\.ts\S*:\d+:\d+/)
  })

  test('use Node and what else the code around them has at hand', async () => {
    const made = await run(() => () => [
      import.meta.url.includes('made-functions.test.ts'),
      typeof structuredClone
    ])
    expect(made()).toEqual([true, 'function'])
  })
})

describe('variables that functions share', () => {
  const makeCounter = () => {
    let n = 0
    return { increment: () => ++n, read: () => n }
  }

  test('are shared by functions that one call made', async () => {
    const [one, other] = await run(() => [makeCounter(), makeCounter()] as const)
    expect([one.increment(), one.increment(), one.read(), other.read()]).toEqual([1, 2, 2, 0])
  })

  test('of the job itself, and as they are at its end', async () => {
    const made = await run((start = 5) => {
      let sum = start
      const grow = (n: number): number => (sum += n)
      grow(10)
      return { grow, now: () => sum, list: [() => sum] }
    })
    expect([made.grow(1), made.now(), made.list[0]?.()]).toEqual([16, 16, 16])
  })

  test('on their way to the next job too', async () => {
    const counter = await run(makeCounter)
    counter.increment()
    const again = await run(() => {
      counter.increment()
      return counter
    })
    expect([again.increment(), again.read(), counter.read()]).toEqual([3, 3, 1])
  })

  test('that were sent with the job', async () => {
    let n = 10
    const up = (): number => ++n
    const now = (): number => n
    const made = await run(() => {
      up()
      return { up, now, here: () => [n, now()] }
    })
    expect([made.up(), made.now(), made.here(), n]).toEqual([12, 12, [12, 12], 10])
  })
})

describe('what cannot come back is said', () => {
  test.each<[string, () => unknown, string]>([
    [
      'this',
      function (this: unknown) {
        return () => this
      },
      'uses the this of the code around it'
    ],
    [
      'arguments',
      function (..._all: unknown[]) {
        return () => arguments.length
      },
      'uses the arguments of the code'
    ],
    [
      'a captured WeakMap',
      () => {
        const seen = new WeakMap()
        return () => seen
      },
      'result -> seen: a WeakMap'
    ],
    ['a text', () => Reflect.construct(Function, ['return 1']), 'that was made of a text'],
    [
      'private members',
      () => {
        class P {
          #x = 1
          m() {
            return () => this.#x
          }
        }
        return Reflect.get(P.prototype, 'm')
      },
      'uses the #x of'
    ]
  ])('%s', async (_name, job, message) => {
    await expect(run(job)).rejects.toThrow(message)
  })

  test('instances of a class that cannot come back are the data they hold', async () => {
    const made = await run(() => {
      const seen = new WeakMap()
      class Holder {
        a = 1
        m() {
          return seen
        }
      }
      class Secret {
        #x = 2
        b = 1
        m() {
          return this.#x
        }
      }
      return [new Holder(), new Secret()]
    })
    expect(made).toStrictEqual([{ a: 1 }, { b: 1 }])
  })
})

test('bytes that name no function of a unit are refused', async () => {
  const bytes = await resultOf(() => (n: number) => n + base)
  // The text begins at 6 of `() => (n) => …`.
  const at = bytes.findIndex((byte, index) => byte === 0x20 && bytes[index - 1] === 0x58) + 33
  for (const start of [0, 1, bytes[at]! + 1]) {
    const other = Uint8Array.from(bytes)
    other[at] = start
    expect(() => printer.readResult(other)).toThrow(/no function begins at/)
  }
})

function thrown(call: () => unknown): Error {
  try {
    call()
  } catch (error) {
    return error as Error
  }
  throw new Error('nothing was thrown')
}

test('changed bytes are refused or mean something else, and nothing worse', async () => {
  const bytes = await resultOf(() => {
    let n = 0
    class Made {
      kind = 'made'
      static #count = 1
      static total = (): number => n
      static all(): number {
        return Made.#count
      }
    }
    return [Made, Object.assign(() => ++n, { version: 1 }), new Made(), () => n]
  })
  for (let at = 0; at < bytes.length; at++) {
    for (const change of [1, 0x20, 0x80, 0xff]) {
      const other = Uint8Array.from(bytes)
      other[at]! ^= change
      try {
        printer.readResult(other)
      } catch (error) {
        expect(error).toBeInstanceOf(ReadError)
      }
    }
  }
})
