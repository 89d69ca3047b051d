import { createHash } from 'node:crypto'
import { EventEmitter } from 'node:events'
import os from 'node:os'
import * as path from 'node:path'
import { describe, expect, test } from 'vitest'
import { Printer } from '../../src/codec/print/print.ts'
import { Reader } from '../../src/codec/read/read.ts'
import * as geometry from './fixtures/geometry.ts'
import { area, Circle, UNIT } from './fixtures/geometry.ts'
import { travel } from './travel.ts'

const ROUNDS = 10
let mutable = 'first'
const unique = Symbol('unique')

function whiten(word: string): string {
  let hash = word
  for (let round = 0; round < ROUNDS; round++) hash = createHash('sha1').update(hash).digest('hex')
  return hash
}

const isEven = (n: number): boolean => n === 0 || isOdd(n - 1)
const isOdd = (n: number): boolean => n !== 0 && isEven(n - 1)

const object = {
  base: 2,
  method(this: void, n: number) {
    return n * ROUNDS
  },
  get double() {
    return this.base * 2
  },
  set double(value: number) {
    this.base = value / 2
  },
  async *[Symbol.asyncIterator]() {
    yield* [1, 2]
  }
}

function Legacy(this: { name: string }, name: string): void {
  this.name = name
}
Legacy.prototype.greet = function greet(this: { name: string }): string {
  return `hello ${this.name}`
}
Legacy.kind = 'legacy'

class Animal {
  static count = 0
  static readonly made: string[] = []
  static {
    if (Animal.count === 0) Animal.made.push('block')
  }
  readonly name: string
  constructor(name: string) {
    this.name = name
    Animal.count++
  }
  get upper(): string {
    return this.name.toUpperCase()
  }
  speak(): string {
    return `${this.name} speaks`
  }
  static of(name: string): Animal {
    return new this(name)
  }
}

class Dog extends Animal {
  #tricks: string[] = []
  override speak(): string {
    return `${super.speak()} loudly`
  }
  learn(trick: string): this {
    this.#tricks.push(trick)
    return this
  }
  get tricks(): number {
    return this.#tricks.length
  }
}

class Stack<T> extends Array<T> {
  get top(): T | undefined {
    return this.at(-1)
  }
}

class Temperature extends Error {
  readonly degrees: number
  constructor(degrees: number) {
    super(`${degrees} degrees`)
    this.degrees = degrees
  }
  get isHot(): boolean {
    return this.degrees > 30
  }
}

class Emitter extends EventEmitter {
  fire(): boolean {
    return this.emit('fire')
  }
}

async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const value of values) all.push(value)
  return all
}

describe('functions of every kind', () => {
  const closures: ReadonlyArray<readonly [name: string, fn: () => unknown]> = [
    ['no captures', () => 6 * 7],
    ['module constants and functions', () => whiten('word')],
    ['mutual recursion', () => isEven(10)],
    [
      'a named function expression that recurses',
      function fact(n: unknown = 5): number {
        return Number(n) < 2 ? 1 : Number(n) * fact(Number(n) - 1)
      }
    ],
    ['Node’s modules in every form of import', () => [path.join('a', 'b'), typeof os.cpus, path.sep]],
    ['names of a local module', () => [area(2), UNIT, new Circle(1).grow().radius]],
    ['a local module as a namespace', () => geometry.area(3)],
    [
      'destructured and default parameters',
      ({ a = 1, ...rest } = { b: 2 } as { a?: number; b: number }) => [a, rest]
    ],
    [
      'shadowed names',
      () => {
        const ROUNDS = 1
        return ((path: string) => path + ROUNDS)('x')
      }
    ],
    ['closures made inside', () => [1, 2].map((n) => n * ROUNDS)],
    [
      'a class made inside',
      () =>
        new (class Local {
          value = ROUNDS
        })().value
    ],
    ['statics and inheritance', () => [Dog.of('Rex').speak(), Dog.count >= 0, Animal.made]],
    ['private members', () => new Dog('Rex').learn('sit').tricks],
    ['template literals and tags', () => String.raw`\n${ROUNDS}`],
    ['typeof of what is not there', () => typeof (globalThis as Record<string, unknown>)['nothingHere']],
    [
      'labels, try and switch',
      () => {
        outer: for (;;) {
          try {
            break outer
          } finally {
            void 0
          }
        }
        return 'out'
      }
    ],
    ['getters of captured objects', () => object.double],
    [
      'legacy constructors',
      () => new (Legacy as unknown as new (name: string) => { greet(): string })('you').greet() + Legacy.kind
    ],
    [
      'subclasses of Array',
      () => {
        const stack = new Stack<number>()
        stack.push(1, 2)
        return [stack.top, stack instanceof Stack, Array.isArray(stack)]
      }
    ],
    ['import.meta', () => [import.meta.url, import.meta.filename, import.meta.dirname]],
    ['a global of Node', () => new URL('http://a/b').pathname + structuredClone({ a: 1 }).a]
  ]

  test.each(closures)('%s', async (_name, fn) => {
    expect((await travel(fn))()).toEqual(fn())
  })

  test('async functions, generators and async generators', async () => {
    const made = await travel({
      later: async (n: number) => {
        await Promise.resolve()
        return n + ROUNDS
      },
      *count(n: number) {
        for (let i = 0; i < n; i++) yield i * ROUNDS
      },
      async *drip() {
        yield await Promise.resolve(ROUNDS)
      }
    })
    expect(await made.later(1)).toBe(11)
    expect([...made.count(3)]).toEqual([0, 10, 20])
    expect(await collect(made.drip())).toEqual([10])
  })

  test('methods, accessors and computed keys', async () => {
    const made = await travel(object)
    expect(made.method(3)).toBe(30)
    made.double = 10
    expect([made.base, made.double]).toEqual([5, 10])
    expect(await collect(made)).toEqual([1, 2])
    expect((await travel(object.method))(2)).toBe(20)
  })

  test('block scopes: each closure has its own', async () => {
    const closures = []
    for (let i = 0; i < 3; i++) closures.push(() => i)
    expect((await travel(closures)).map((each) => each())).toEqual([0, 1, 2])
  })

  test('a variable travels with the value it has now', async () => {
    const read = () => mutable
    const printer = new Printer()
    expect((await travel(read, printer))()).toBe('first')
    mutable = 'second'
    expect((await travel(read, printer))()).toBe('second')
  })

  test('a function that counts goes on counting', async () => {
    let count = 5
    const increment = await travel(() => ++count)
    expect([increment(), increment(), count]).toEqual([6, 7, 5])
  })

  test('a variable that one function changes and another sees is one variable there', async () => {
    const makeCounter = (start: number) => {
      let count = start
      return { increment: () => ++count, read: () => count, alone: [() => ++count, () => start] }
    }
    const one = makeCounter(0)
    const { counters, alias } = await travel({
      counters: [one, makeCounter(0)] as const,
      alias: one.increment
    })
    expect([counters[0].increment(), alias(), counters[0].read(), counters[1].read()]).toEqual([1, 2, 2, 0])
    expect([one.read(), counters[0].alone[0]?.()]).toEqual([0, 3])
  })

  test('finding that out runs nothing of the program and leaves its variables as they are', async () => {
    const effects: string[] = []
    const make = (value: unknown) => {
      let own = value
      return {
        put: (to: unknown) => (effects.push('put'), (own = to)),
        get() {
          if (own === undefined) effects.push('get')
          else effects.push('got')
          return own
        },
        known: () => (effects.length > 99 ? effects.push('a') : effects.push('b')) && own
      }
    }
    for (const value of [undefined, null, -0, Number.NaN, 5n, 'text', { a: 1 }, Symbol.iterator]) {
      const made = make(value)
      await travel(made)
      expect(effects).toEqual([])
      expect(Object.is(made.get(), value)).toBe(true)
      effects.length = 0
    }
  })

  test('bound functions', async () => {
    const add = function (this: { base: number }, a: number, b: number) {
      return this.base + a + b
    }
    expect((await travel(add.bind({ base: 1 }, 2)))(3)).toBe(6)
  })

  test('functions with properties', async () => {
    const tagged = Object.assign((n: number) => n + 1, { version: 3, helper: (n: number) => n * ROUNDS })
    const made = await travel(tagged)
    expect([made(1), made.version, made.helper(2), made.name]).toEqual([2, 3, 20, tagged.name])
  })

  test('built-ins by name are the same there', async () => {
    const value = {
      max: Math.max,
      slice: Array.prototype.slice,
      Math,
      hash: createHash,
      Map,
      log: console.log,
      path: path.posix
    }
    const made = await travel(value)
    for (const name of Object.keys(value) as (keyof typeof value)[]) expect(made[name]).toBe(value[name])
  })

  test('functions in functions in arguments', async () => {
    const [map, list] = await travel([
      (fn: (n: number) => number, ns: number[]) => ns.map(fn),
      [1, 2]
    ] as const)
    const twice = await travel((n: number) => n * 2)
    expect(map(twice, [...list])).toEqual([2, 4])
  })
})

describe('classes and instances', () => {
  test('an instance is one of the class that came with it', async () => {
    const [test, animal] = await travel([
      (value: unknown) => value instanceof Animal,
      new Animal('cat')
    ] as const)
    expect(test(animal)).toBe(true)
    expect(animal.upper).toBe('CAT')
  })

  test('a class is the same one in all values of a worker process', async () => {
    const [printer, reader] = [new Printer(), new Reader()]
    const isAnimal = await travel((value: unknown) => value instanceof Animal, printer, reader)
    expect(isAnimal(await travel(new Animal('cat'), printer, reader))).toBe(true)
  })

  test('static state travels, and static code does not run again', async () => {
    const made = await travel(Animal)
    expect(made).not.toBe(Animal)
    expect([made.count, made.made]).toEqual([Animal.count, ['block']])
  })

  test('private static state travels', async () => {
    class Counter {
      readonly made = Counter.next()
      static #count = 0
      static #step = (): number => 2
      static next(): number {
        return (Counter.#count += Counter.#step())
      }
    }
    Counter.next()
    expect((await travel(Counter)).next()).toBe(4)
  })

  test('instances of subclasses of built-ins', async () => {
    const stack = new Stack<number>()
    stack.push(1, 2)
    const made = await travel(stack)
    expect([made.top, made.length, [...made]]).toEqual([2, 2, [1, 2]])
    const emitter = await travel(new Emitter())
    let fired = 0
    emitter.on('fire', () => fired++)
    emitter.fire()
    expect(fired).toBe(1)
  })

  test('errors of the program’s own classes', async () => {
    const error = Object.assign(new Temperature(40), { cause: new Temperature(20) })
    const made = await travel(error)
    expect(made.isHot).toBe(true)
    expect(made.cause.degrees).toBe(20)
    expect(made).toBeInstanceOf(Error)
    expect(made.stack).toBe(error.stack)
  })

  test('symbols of its own keep their identity', async () => {
    const [printer, reader] = [new Printer(), new Reader()]
    const get = await travel((value: Record<symbol, unknown>) => value[unique], printer, reader)
    expect(get(await travel({ [unique]: 'found' }, printer, reader))).toBe('found')
  })
})

describe('positions', () => {
  test('the stack of an error names this file, line and column', async () => {
    const thrower = () => {
      throw new Error('here')
    }
    const stackOf = (fn: () => void): string => {
      try {
        fn()
      } catch (error) {
        return (error as Error).stack?.split('\n')[1] ?? ''
      }
      return ''
    }
    const made = await travel(thrower)
    expect(stackOf(made)).toBe(stackOf(thrower))
    expect(stackOf(made)).toMatch(/thrower .*functions\.test\.ts.*:\d+:\d+/)
  })
})

describe('the cost of many closures', () => {
  test('a site is known after its first closure: the others print without a promise', async () => {
    const printer = new Printer()
    const make = (n: number) => () => whiten(String(n))
    await printer.print(make(0))
    const printed = printer.print(make(1))
    expect(printed).not.toBeInstanceOf(Promise)
  })

  test('equal sites of two printers are equal units', async () => {
    const fn = () => whiten('x')
    const [first, second] = [await new Printer().print(fn), await new Printer().print(fn)]
    expect(first.units).toEqual(second.units)
    expect(first.bytes).toEqual(second.bytes)
  })

  test('a large capture warns once, with path and size', async () => {
    const warnings: string[] = []
    const printer = new Printer({ onWarning: ({ message }) => warnings.push(message) })
    const table = new Uint8Array(2 * 1024 * 1024)
    const use = () => table.length
    await printer.print(use, 'job 1')
    await printer.print(use, 'job 2')
    expect(warnings).toEqual([
      'job 1 -> table: 2.0 MiB travel with it; pass large values once, as an argument or through setup'
    ])
  })
})
