import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PrintError, ReadError } from '../../src/codec/errors.ts'
import { ResultPrinter } from '../../src/codec/print/print-result.ts'
import { Printer } from '../../src/codec/print/print.ts'
import { Reader } from '../../src/codec/read/read.ts'
import { makeProject, type Project } from './project.ts'

const printer = new Printer()
const reader = new Reader()
const results = new ResultPrinter(reader)

/** What a job returns, read by those who sent it, as after a journey to a worker process and back. */
async function run<T>(job: () => T): Promise<Awaited<T>> {
  const { bytes, units } = await printer.print(job, 'job 0')
  for (const hash of units) reader.addUnit(hash, printer.unit(hash))
  const there = reader.read(bytes) as () => T
  return printer.readResult(results.print(await there())) as Awaited<T>
}

class Point {
  readonly x: number
  constructor(x: number) {
    this.x = x
  }
  twice(): number {
    return this.x * 2
  }
}
class Point3 extends Point {}
class Broken extends Error {
  readonly detail = 7
}
function Legacy(this: { name: string }, name: string): void {
  this.name = name
}
Legacy.prototype.greet = function greet(this: { name: string }): string {
  return `hello ${this.name}`
}
const makeLegacy = Legacy as unknown as new (name: string) => { greet(): string }
const factor = 3
const scale = (n: number): number => n * factor
const tagged = Object.assign((n: number) => n + factor, { version: 2, helper: scale })
let count = 0
const increment = (): number => ++count
const bound = function (this: { base: number }, n: number): number {
  return this.base + n
}.bind({ base: 10 })
const kept = new Point(9)

describe('results', () => {
  test('instances of the program’s own classes are instances of them here', async () => {
    const [point, deep, mapped] = await run(
      () => [new Point(2), new Point3(3), new Map([['key', [new Point(4)]]])] as const
    )
    expect(point).toBeInstanceOf(Point)
    expect(point.twice()).toBe(4)
    expect(Object.getPrototypeOf(deep)).toBe(Point3.prototype)
    expect(mapped.get('key')?.[0]).toBeInstanceOf(Point)
    expect((await run(() => kept)).twice()).toBe(18)
    expect(await run(() => [Point, kept.constructor])).toEqual([Point, Point])
  })

  test('so are instances of constructor functions', async () => {
    const made = await run(() => new makeLegacy('you'))
    expect(made).toBeInstanceOf(Legacy)
    expect(made.greet()).toBe('hello you')
  })

  test('errors of the program’s own classes', async () => {
    const error = await run(() => new Broken('broken', { cause: new Broken('cause') }))
    expect(error).toBeInstanceOf(Broken)
    expect([error.detail, error.cause instanceof Broken]).toEqual([7, true])
  })

  test('functions that were sent work, with what they captured there', async () => {
    const made = await run(() => ({ scale, tagged, bound, round: Math.round, nested: [scale] }))
    expect([made.scale(2), made.tagged(1), made.tagged.version, made.tagged.helper(2)]).toEqual([6, 4, 2, 6])
    expect([made.bound(5), made.round(1.5), made.nested[0]?.(1)]).toEqual([15, 2, 3])
    const counted = await run(() => {
      increment()
      increment()
      return increment
    })
    expect([counted(), count]).toEqual([3, 0])
  })

  test('without an inspector a function made while the job ran is refused, and so is what holds one', async () => {
    await expect(run(() => (n: number) => n + factor)).rejects.toThrow(PrintError)
    await expect(run(() => ({ list: [() => 1] }))).rejects.toThrow(
      `result -> list[0]: a function made while the job ran exists only there: Node.js ${process.versions.node} does not let a sandboxed process look into it, 24.21 and 26.3 do; return data, or a function that was sent`
    )
    await expect(run(() => scale.bind(null, 1))).rejects.toThrow(PrintError)
  })

  test('without an inspector an instance of a class made while the job ran is the data it holds', async () => {
    const made = await run(() => {
      class Local {
        a = 1
      }
      return new Local()
    })
    expect(made).toStrictEqual({ a: 1 })
  })

  test('a function under a name that is called unasked is refused where it is returned', async () => {
    await expect(run(() => ({ list: { map: scale } }))).rejects.toThrow(
      'result -> list.map: a function named map would run without being called by the program that gets the result; return a value, give it another name, or make it a member of a class'
    )
    await expect(
      run(() => ({
        get one() {
          return 1
        }
      }))
    ).rejects.toThrow('result -> one: a getter or setter would run without being called')
  })
})

const FILES = {
  'package.json': '{ "type": "module" }',
  'node_modules/shapes/package.json':
    '{ "type": "module", "exports": { ".": "./index.js", "./cjs": "./main.cjs" } }',
  'node_modules/shapes/index.js': `
    globalThis.shapesEvaluations = (globalThis.shapesEvaluations ?? 0) + 1
    export class Circle { constructor(r) { this.r = r } get area() { return this.r ** 2 * 3 } }
    export class Bad extends Error {}
    export const grow = (circle) => new Circle(circle.r + 1)
    export default { Circle, grow, helpers: { deep: () => 1 } }`,
  'node_modules/shapes/main.cjs': 'class Box { side() { return 4 } } module.exports = { Box }',
  'jobs.js': `
    import all, { Circle, Bad, grow } from 'shapes'
    import * as shapes from 'shapes'
    import { Box } from 'shapes/cjs'
    class Wheel extends Circle { spokes = 5 }
    export const jobs = {
      circle: () => new Circle(2),
      grown: () => grow(new Circle(2)),
      viaNamespace: () => new shapes.Circle(3),
      viaDefault: () => new all.Circle(3),
      wheel: () => new Wheel(1),
      error: () => new Bad('bad'),
      classItself: () => [Circle, grow],
      box: () => new Box(),
      deep: () => all.helpers.deep
    }
    export { Circle, Wheel, Bad, Box, grow }`
}

interface Shapes {
  readonly jobs: Readonly<Record<string, () => unknown>>
  readonly Circle: Function
  readonly Wheel: Function
  readonly Bad: Function
  readonly Box: Function
  readonly grow: Function
}

describe('results of packages', () => {
  let project: Project
  beforeAll(() => {
    project = makeProject(FILES)
  })
  afterAll(() => project.remove())

  test('instances and functions of packages are those this program imported', async () => {
    const { jobs, Circle, Wheel, Bad, Box, grow } = (await project.load('jobs.js')) as Shapes
    const call = (name: string): Promise<unknown> => run(jobs[name] as () => unknown)
    for (const name of ['circle', 'grown', 'viaNamespace', 'viaDefault', 'wheel']) {
      expect(await call(name), name).toBeInstanceOf(Circle)
    }
    expect(await call('wheel')).toBeInstanceOf(Wheel)
    expect(await call('error')).toBeInstanceOf(Bad)
    expect(await call('box')).toBeInstanceOf(Box)
    expect(await call('classItself')).toEqual([Circle, grow])
    // Once here, once where the jobs ran.
    expect(Reflect.get(globalThis, 'shapesEvaluations')).toBe(2)
    await expect(call('deep')).rejects.toThrow(PrintError)
  })

  test('a result names nothing of a package that was not imported, and nothing behind it', async () => {
    const { jobs } = (await project.load('jobs.js')) as Shapes
    const { bytes } = await printer.print(jobs['classItself'])
    expect(bytes.length).toBeGreaterThan(0)
    const unit = await bundleOf(jobs['circle'] as () => unknown)
    for (const path of [
      ['e0', 'constructor'],
      ['e0', '__proto__'],
      ['e99'],
      ['constructor', 'constructor']
    ]) {
      const hex = Buffer.from(unit, 'hex')
      const names = path.map((name) => Buffer.concat([Buffer.from([0x60 + name.length]), Buffer.from(name)]))
      const head = Buffer.from([0xd9, 0xb8, 0x15, 0x80 + 1 + path.length, 0x58, 0x20])
      expect(() => printer.readResult(Buffer.concat([head, hex, ...names]))).toThrow(ReadError)
    }
  })
})

async function bundleOf(job: () => unknown): Promise<string> {
  const { units } = await printer.print(job)
  const bundle = units.find((hash) => Buffer.from(printer.unit(hash)).includes('bundle-'))
  if (bundle === undefined) throw new Error('expected a bundle')
  return bundle
}
