import { execFileSync } from 'node:child_process'
import { afterEach, describe, expect, test } from 'vitest'
import { Printer } from '../../src/codec/print/print.ts'
import { makeProject, type Project } from './project.ts'

type Jobs = Readonly<Record<string, unknown>>

const PACKAGE = {
  'node_modules/pack/package.json':
    '{ "type": "module", "exports": { ".": "./index.js", "./other": "./other.js" } }',
  'node_modules/pack/index.js': `import { step } from './step.js'
    export const next = (n) => n + step
    export const after = (n) => next(n) + step`,
  'node_modules/pack/step.js': 'export const step = 1',
  'node_modules/pack/other.js': 'export const other = 5'
}

const JOBS = `
  import { next } from 'pack'
  import { double } from './double.js'
  const base = 10
  const help = (n) => double(n) + base
  export class Point { constructor(x) { this.x = x } get twice() { return help(this.x) } }
  const point = new Point(3)
  const mark = Symbol('mark')
  export const jobs = {
    plain: () => 1 + 1,
    helped: () => help(2),
    packaged: () => next(2),
    loaded: async () => (await import('pack')).next(1),
    instance: () => point.twice,
    marked: () => ({ [mark]: mark }),
    data: [1, 'text', { a: new Uint8Array(4) }]
  }
  export const make = (n) => () => n`

const FILES = { ...PACKAGE, 'double.js': 'export const double = (n) => 2 * n', 'jobs.mjs': JOBS }

const projects: Project[] = []

/** The keys of all jobs of a program, in a process of its own as far as the printer can tell. */
async function keysOf(files: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const project = makeProject(files)
  projects.push(project)
  const { jobs } = (await project.load('jobs.mjs')) as { jobs: Jobs }
  const printer = new Printer()
  const keys: Record<string, string> = {}
  for (const [name, job] of Object.entries(jobs)) keys[name] = printer.contentKey(await printer.print(job))
  return keys
}

function differences(one: Record<string, string>, other: Record<string, string>): string[] {
  expect(Object.keys(one)).toEqual(Object.keys(other))
  return Object.keys(one).filter((name) => one[name] !== other[name])
}

const edited = (from: string, to: string, file: keyof typeof FILES = 'jobs.mjs') => {
  expect(FILES[file]).toContain(from)
  return { ...FILES, [file]: FILES[file].replace(from, to) }
}

const FUNCTIONS = ['plain', 'helped', 'packaged', 'loaded', 'instance', 'marked']

describe('the content key of a value', () => {
  afterEach(() => projects.splice(0).forEach((project) => project.remove()))

  const changes: ReadonlyArray<readonly [what: string, files: Record<string, string>, changed: string[]]> = [
    ['nothing, in another folder', FILES, []],
    ['lines above', { ...FILES, 'jobs.mjs': `// A comment\n/* and */ \n${JOBS}` }, []],
    ['another function of the file', edited('1 + 1', '1 + 3'), ['plain']],
    ['a captured constant', edited('base = 10', 'base = 11'), ['helped', 'instance']],
    ['a function called', edited('double(n) + base', 'double(n) - base'), ['helped', 'instance']],
    ['a function of a local module', edited('2 * n', '3 * n', 'double.js'), ['helped', 'instance']],
    [
      'a file of a package',
      edited('step = 1', 'step = 2', 'node_modules/pack/step.js'),
      ['packaged', 'loaded']
    ],
    ['a file of a package that nobody imports', edited('5', '6', 'node_modules/pack/other.js'), []],
    [
      'another import beside it',
      edited(`{ next } from 'pack'`, `{ other } from 'pack/other'; import { next } from 'pack'`),
      []
    ],
    ['the name imported', edited('{ next }', '{ after as next }'), ['packaged']],
    ['a captured object', edited('new Point(3)', 'new Point(4)'), ['instance']],
    ['a method of a class', edited('help(this.x)', 'help(this.x + 1)'), ['instance']],
    ['data', edited('Uint8Array(4)', 'Uint8Array(5)'), ['data']]
  ]

  test.each(changes)('%s', async (_what, files, changed) => {
    expect(differences(await keysOf(FILES), await keysOf(files))).toEqual(changed)
  })

  test('does not depend on what was printed before', async () => {
    const project = makeProject(FILES)
    projects.push(project)
    const { jobs, Point } = (await project.load('jobs.mjs')) as { jobs: Jobs; Point: unknown }
    const [one, other] = [new Printer(), new Printer()]
    await other.print([
      Symbol('earlier'),
      class Earlier {
        readonly n = 1
      },
      Point,
      jobs['marked']
    ])
    for (const name of FUNCTIONS.toReversed()) {
      const key = one.contentKey(await one.print(jobs[name], 'one'))
      expect(other.contentKey(await other.print(jobs[name], 'other')), name).toBe(key)
    }
  })

  test('tells closures of one site apart by what they captured', async () => {
    const project = makeProject(FILES)
    projects.push(project)
    const { make } = (await project.load('jobs.mjs')) as { make: (n: number) => unknown }
    const printer = new Printer()
    const keys = await Promise.all(
      [1, 2, 1].map(async (n) => printer.contentKey(await printer.print(make(n))))
    )
    expect(keys[0]).toBe(keys[2])
    expect(keys[0]).not.toBe(keys[1])
  })

  test('tells two classes and two symbols from one twice', async () => {
    const printer = new Printer()
    const make = () =>
      class Made {
        readonly n = 1
      }
    const [A, B] = [make(), make()]
    const keyOf = async (value: unknown) => printer.contentKey(await printer.print(value))
    expect(await keyOf([new A(), new B()])).not.toBe(await keyOf([new A(), new A()]))
    expect(await keyOf([new A(), new B()])).toBe(await keyOf([new B(), new A()]))
    const [a, b] = [Symbol('s'), Symbol('s')]
    expect(await keyOf([a, b])).not.toBe(await keyOf([a, a]))
    expect(await keyOf([a, b])).toBe(await keyOf([b, a]))
  })

  test('is kept with bundles on disk', async () => {
    const project = makeProject(FILES)
    projects.push(project)
    const { jobs } = (await project.load('jobs.mjs')) as { jobs: Jobs }
    const key = async () => {
      const printer = new Printer({ cacheDirectory: `${project.folder}/cache` })
      return printer.contentKey(await printer.print(jobs['packaged']))
    }
    expect(await key()).toBe(await key())
  })

  test('two processes print the same file to the same bytes and keys', () => {
    const project = makeProject(FILES)
    projects.push(project)
    const printUrl = new URL('../../src/codec/print/print.ts', import.meta.url).href
    const script = `
      const { Printer } = await import(${JSON.stringify(printUrl)})
      const { jobs } = await import('./jobs.mjs')
      const printer = new Printer()
      for (const [name, job] of Object.entries(jobs)) {
        const printed = await printer.print(job)
        console.log(name, Buffer.from(printed.bytes).toString('hex'), printed.units.join(), printer.contentKey(printed))
      }`
    const run = () =>
      execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
        cwd: project.folder,
        encoding: 'utf8'
      })
    const first = run()
    expect(first.split('\n')).toHaveLength(FUNCTIONS.length + 2)
    expect(run()).toBe(first)
  })
})
