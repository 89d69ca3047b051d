import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { registerTypeScript } from '../../src/codec/load/loader.ts'
import { Printer } from '../../src/codec/print/print.ts'
import { readData } from '../../src/codec/read/read-data.ts'
import { Reader } from '../../src/codec/read/read.ts'
import type { FunctionUnit } from '../../src/codec/unit.ts'
import { type Project, makeProject } from './project.ts'
import { travel } from './travel.ts'

type Job = () => unknown

const WASM_ADD = 'AGFzbQEAAAABBwFgAn9/AX8DAgEABwcBA2FkZAAACgkBBwAgACABagsACgRuYW1lAgMBAAA='

const hundred = Object.fromEntries(
  Array.from({ length: 100 }, (_, n) => [
    `node_modules/hundred/m${n}.js`,
    n === 99
      ? 'export const sum = () => 99'
      : `import { sum as rest } from './m${n + 1}.js'\nexport const sum = () => rest() + ${n}`
  ])
)

const FILES = {
  'package.json': '{ "type": "module", "imports": { "#inner": "./inner.js" } }',
  'tsconfig.json':
    '{ /* aliases */ "compilerOptions": { "paths": { "@/*": ["./lib/*"] }, "jsx": "react", "jsxFactory": "h" } }',
  'node_modules/esm/package.json':
    '{ "type": "module", "exports": { ".": "./index.js", "./sub": "./sub.js" } }',
  'node_modules/esm/index.js': `
    globalThis.esmEvaluations = (globalThis.esmEvaluations ?? 0) + 1
    export { counter } from './counter.js'
    export default (name) => 'hello ' + name
    export class Thing { constructor(value) { this.value = value } }
    export const unused = () => 'a text that must be shaken off'`,
  'node_modules/esm/counter.js': 'export const counter = { count: 0 }',
  'node_modules/esm/sub.js': `import { counter } from './counter.js'; export const next = () => ++counter.count`,
  'node_modules/cjs/package.json': '{ "main": "./lib/main.js" }',
  'node_modules/cjs/lib/main.js': `const os = require('os'); module.exports = (x) => x + typeof os.cpus; module.exports.extra = 5`,
  'node_modules/dual/package.json': '{ "exports": { "import": "./i.mjs", "require": "./r.cjs" } }',
  'node_modules/dual/i.mjs': `export const kind = 'import'`,
  'node_modules/dual/r.cjs': `exports.kind = 'require'`,
  'node_modules/native/package.json': '{ "main": "./x.node" }',
  'node_modules/native/x.node': '',
  'node_modules/loud/package.json': '{ "type": "module" }',
  'node_modules/loud/index.js': `
    globalThis.loudEvaluations = (globalThis.loudEvaluations ?? 0) + 1
    export const say = () => 'loud'`,
  'node_modules/addon/package.json': '{ "main": "./main.cjs" }',
  'node_modules/addon/main.cjs': `try { require('./x.node') } catch {} exports.fast = false`,
  'node_modules/addon/x.node': '',
  'fellows.ts': `
    import { kind } from 'dual'
    import { say } from 'loud'
    import addon from 'addon'
    export const top = [say(), addon.fast]
    export const light = () => kind
    export const heavy = () => addon.fast`,
  'node_modules/hundred/package.json': '{ "type": "module", "main": "./m0.js" }',
  ...hundred,
  'lib/alias.ts': 'export const twice = (n: number): number => n * 2',
  'lib/flavours.ts': `
    export enum Color { Red, Green }
    export namespace Space { export const size = 3 }
    export class Box { constructor(private readonly width: number, public height = 2) {} area() { return this.width * this.height } }
    const loud = (method: (...args: unknown[]) => string, _context: ClassMethodDecoratorContext) =>
      function (this: unknown, ...args: unknown[]) { return method.apply(this, args).toUpperCase() }
    export class Speaker { @loud speak() { return 'hello' } }`,
  'lib/reexport.ts': `export * from './flavours'\nexport { twice as double } from '@/alias'`,
  'data.json': '{ "list": [1, 2] }',
  'lib/plain.json': '{ "factor": 14 }',
  'jobs.tsx': `
    import hello, { counter, Thing } from 'esm'
    import * as esm from 'esm'
    import { next } from 'esm/sub'
    import cjs, { extra } from 'cjs'
    import { kind } from 'dual'
    import { sum as total } from 'hundred'
    import data from './data.json' with { type: 'json' }
    import plain from './lib/plain.json'
    import { Color, Space, Box, Speaker, double } from './lib/reexport'
    import { twice } from '@/alias'
    globalThis.jobsEvaluations = (globalThis.jobsEvaluations ?? 0) + 1
    const thing = new esm.Thing(4)
    const h = (tag: string, props: unknown, ...children: unknown[]) => ({ tag, props, children })
    export default {
      'ESM default and named imports': () => [hello('you'), new Thing(1).value],
      'one copy of a package for all its entries': () => { const before = counter.count; next(); return counter.count - before },
      'a namespace': () => esm.default('x'),
      'CommonJS default and named': () => [cjs('x'), extra],
      'the condition of the importer': () => kind,
      'a hundred modules': () => total(),
      'JSON': () => data.list,
      'JSON as compilers and bundlers allow it': () => plain.factor,
      'enums, namespaces, parameter properties': () => [Color.Green, Color[0], Space.size, new Box(3).area()],
      'decorators': () => new Speaker().speak(),
      'JSX': () => <div id="x">{twice(2)}</div>,
      'paths of tsconfig.json and re-exports': () => [twice(3), double(4)],
      'a literal import()': async () => typeof (await import('esm/sub')).next,
      'an instance of a package’s class': () => thing.value
    }
    export const throws = () => {
      const color: Color = Color.Red
      throw new Error('from line ' + color)
    }
    export const usesThing = (value: unknown) => value instanceof Thing
    export { thing }`,
  'node_modules/state/package.json':
    '{ "type": "module", "exports": { ".": "./index.js", "./sub": "./sub.js" } }',
  'node_modules/state/index.js': `
    export const counter = { n: 0 }
    export const read = () => counter.n
    export class Thing {}`,
  'node_modules/state/sub.js': `
    import { counter, Thing } from 'state'
    export const inc = () => ++counter.n
    export const make = () => new Thing()`,
  'parts/readers.ts': `
    import { read as readState, Thing } from 'state'
    export const read = () => readState()
    export const isThing = (value: unknown) => value instanceof Thing`,
  'parts/deep/writers.ts': `
    import { inc as incState, make as makeThing } from 'state/sub'
    export const inc = () => incState()
    export const make = () => makeThing()`,
  'two-files.ts': `
    import { isThing, read } from './parts/readers'
    import { inc, make } from './parts/deep/writers'
    export const both = () => [inc(), read()]
    export const job = async () => {
      const before = read()
      inc()
      return [read() - before, isThing(make()), isThing((await import('state/sub')).make())]
    }
    export { inc, read }`,
  'native.ts': `import native from 'native'; export default () => native`,
  'missing.ts': `export default () => import('not-installed')`,
  'script.cjs': `
    const cjs = require('cjs')
    const { kind } = require('dual')
    module.exports = { whole: () => cjs('y'), part: () => kind, inside: () => require('cjs').extra, os: () => typeof require('node:os').cpus }`,
  'wasm.js': `import { add } from './add.wasm'; export default () => add(2, 3)`
}

describe('packages and TypeScript', () => {
  let project: Project
  beforeAll(() => {
    registerTypeScript()
    project = makeProject(FILES)
    writeFileSync(join(project.folder, 'add.wasm'), Buffer.from(WASM_ADD, 'base64'))
  })
  afterAll(() => project.remove())

  test('every kind of import gives there what it gives here, and nothing of the file runs again', async () => {
    const { default: jobs } = (await project.load('jobs.tsx')) as { default: Record<string, Job> }
    const [printer, reader] = [new Printer(), new Reader()]
    for (const [name, job] of Object.entries(jobs)) {
      const there = await travel(job, printer, reader)
      expect(await there(), name).toEqual(await job())
    }
    expect(Reflect.get(globalThis, 'jobsEvaluations')).toBe(1)
    // Once here, once by the reader, however many functions use it.
    expect(Reflect.get(globalThis, 'esmEvaluations')).toBe(2)
  })

  test('what is not used does not travel', async () => {
    const { default: jobs } = (await project.load('jobs.tsx')) as { default: Record<string, Job> }
    const printer = new Printer()
    const { units } = await printer.print(jobs['the condition of the importer'])
    const sources = units.map((hash) => Buffer.from(printer.unit(hash)).toString()).join()
    expect(sources).toContain('import')
    expect((await printer.print(jobs['JSON'])).units).toHaveLength(1)
  })

  test('what the file imports besides is not evaluated there, and no obstacle when it cannot be bundled', async () => {
    const { light, heavy } = (await project.load('fellows.ts')) as { light: Job; heavy: Job }
    const [printer, reader] = [new Printer(), new Reader()]
    expect((await travel(light, printer, reader))()).toBe('import')
    expect(Reflect.get(globalThis, 'loudEvaluations')).toBe(1)
    await expect(travel(heavy, printer, reader)).rejects.toThrow(/native addon/)
    expect((await travel(light, printer, reader))()).toBe('import')
  })

  test('a package is one copy for functions of all files, and for those who load it when they run', async () => {
    const { job } = (await project.load('two-files.ts')) as { job: () => Promise<unknown> }
    expect(await (await travel(job, new Printer()))()).toEqual(await job())
  })

  test('functions printed before a bundle grew are in the new one with the others from then on', async () => {
    const { read, inc, both } = (await project.load('two-files.ts')) as Record<string, () => unknown>
    const [printer, reader] = [new Printer(), new Reader()]
    expect((await travel(read, printer, reader))?.()).toBe(0)
    await travel(inc, printer, reader)
    expect((await travel(both, printer, reader))?.()).toEqual([1, 1])
  })

  test('a class of a package is the one of the bundle when it is met as a value', async () => {
    const { usesThing } = (await project.load('jobs.tsx')) as { usesThing: (value: unknown) => boolean }
    const { default: jobs } = (await project.load('jobs.tsx')) as { default: Record<string, Job> }
    const [printer, reader] = [new Printer(), new Reader()]
    await travel(jobs['ESM default and named imports'], printer, reader)
    const { Thing } = (await project.load('node_modules/esm/index.js')) as { Thing: unknown }
    const [is, constructor] = await travel([usesThing, Thing] as const, printer, reader)
    expect(is(Reflect.construct(constructor as new (value: number) => unknown, [1]))).toBe(true)
  })

  test('the stack of transformed TypeScript names lines as written', async () => {
    const { throws } = (await project.load('jobs.tsx')) as { throws: Job }
    const printer = new Printer()
    const [hash = ''] = (await printer.print(throws)).units
    const { file, line, source } = readData(printer.unit(hash)) as FunctionUnit
    const row = source.split('\n').findIndex((text) => text.includes('throw'))
    const column = source.split('\n')[row]?.indexOf('new Error') ?? 0
    // As it comes from a worker process, which knows the code as run and no source maps.
    const error = Object.assign(new Error('there'), {
      stack: `Error: there\n    at throws (${file}:${line + row + 1}:${column + 1})`
    })
    const { bytes } = await printer.print(error)
    const lines = FILES['jobs.tsx'].split('\n')
    const expected = lines.findIndex((text) => text.includes('throw new Error'))
    const position = `jobs.tsx:${expected + 1}:${(lines[expected]?.indexOf('new Error') ?? 0) + 1}`
    expect((printer.readResult(bytes) as Error).stack).toContain(position)
  })

  test('functions of CommonJS files', async () => {
    const { default: script } = (await project.load('script.cjs')) as { default: Record<string, Job> }
    for (const [name, job] of Object.entries(script)) expect((await travel(job))(), name).toEqual(job())
  })

  test('WebAssembly', async () => {
    const { default: add } = (await project.load('wasm.js')) as { default: Job }
    expect((await travel(add))()).toBe(5)
  })

  test('modules that cannot travel are refused by name', async () => {
    const { default: missing } = (await project.load('missing.ts')) as { default: Job }
    await expect(new Printer().print(missing, 'job 0')).rejects.toThrow(
      /^job 0: a module it imports cannot be bundled: Could not resolve "not-installed"/
    )
  })

  test('a bundle is kept on disk and found again until a file of it changes', async () => {
    const { default: jobs } = (await project.load('jobs.tsx')) as { default: Record<string, Job> }
    const cacheDirectory = join(project.folder, 'cache')
    const print = async () =>
      (await new Printer({ cacheDirectory }).print(jobs['a hundred modules'])).units.toSorted()
    const first = await print()
    const stored = readdirSync(cacheDirectory)
    expect(stored).toHaveLength(2)
    expect(await print()).toEqual(first)
    expect(readdirSync(cacheDirectory)).toEqual(stored)
    writeFileSync(join(project.folder, 'node_modules/hundred/m99.js'), 'export const sum = () => 100')
    expect(await print()).not.toEqual(first)
  })
})
