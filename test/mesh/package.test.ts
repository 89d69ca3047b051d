/** What npm would publish, unpacked into an empty project: is everything in it, and does it work from there? */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
let app: string

beforeAll(() => {
  app = mkdtempSync(join(tmpdir(), 'dist-node-app-'))
  const installed = join(app, 'node_modules/dist-node')
  const listing = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore']
  })
  const [{ files }] = JSON.parse(listing) as [{ files: { path: string }[] }]
  for (const { path } of files) cpSync(join(root, path), join(installed, path))
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
  }
  for (const name of Object.keys(dependencies)) {
    const link = join(app, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), link)
  }
  writeFileSync(join(app, 'package.json'), '{ "name": "app", "version": "1.0.0" }')
})
afterAll(() => rmSync(app, { recursive: true }))

function runNode(...args: string[]): string {
  const env = { PATH: process.env['PATH'], HOME: app, XDG_RUNTIME_DIR: app }
  return execFileSync(process.execPath, args, {
    cwd: app,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore']
  })
}

test('the command runs a CommonJS jobs file', () => {
  writeFileSync(
    join(app, 'jobs.cjs'),
    "const { sep } = require('node:path'); module.exports = [() => sep + 'ok']"
  )
  const output = runNode('node_modules/dist-node/bin/dist-node.mjs', 'run', 'jobs.cjs', '--json')
  expect(JSON.parse(output)).toMatchObject({ index: 0, status: 'ok', value: '/ok' })
})

test('import and export make a module, also where npm init has written that all files are CommonJS', () => {
  const project = join(app, 'as-npm-init-makes-it')
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), '{ "name": "new", "version": "1.0.0", "type": "commonjs" }')
  writeFileSync(join(project, 'factor.js'), 'export const factor = 21')
  writeFileSync(join(project, 'double.ts'), 'export enum Times { Two = 2 }')
  writeFileSync(join(project, 'old.js'), 'exports.half = (n) => n / 2')
  const jobs = `import { factor } from './factor.js'
    import { Times } from './double.ts'
    import { half } from './old.js'
    const two: number = Times.Two
    export default [() => half(factor * two * 2)]`
  writeFileSync(join(project, 'jobs.ts'), jobs)
  const output = runNode(
    'node_modules/dist-node/bin/dist-node.mjs',
    'run',
    join(project, 'jobs.ts'),
    '--json'
  )
  expect(JSON.parse(output)).toMatchObject({ index: 0, status: 'ok', value: 42 })
})

test('the library works for an ES module', () => {
  const source = `
    import { createDistNode } from 'dist-node'
    await using node = await createDistNode({ slots: 2 })
    const doubled = await node.map((n) => n * 2, [1, 2, 3]).all()
    console.log(JSON.stringify([doubled, await node.call((a, b) => a + b, 20, 22)]))`
  writeFileSync(join(app, 'library.mjs'), source)
  expect(JSON.parse(runNode('library.mjs'))).toEqual([[2, 4, 6], 42])
})

test('so does the mesh for tests', () => {
  const source = `
    import { createTestMesh } from 'dist-node/testing'
    await using mesh = await createTestMesh(1)
    console.log(await mesh.submitter.call((a, b) => a + b, 20, 22))`
  writeFileSync(join(app, 'testing.mjs'), source)
  expect(runNode('testing.mjs')).toBe('42\n')
})

test('and for CommonJS', () => {
  const source = `
    const { createDistNode } = require('dist-node')
    createDistNode({ slots: 1 }).then(async (node) => {
      console.log(await node.call(() => 'works'))
      await node.stop()
    })`
  writeFileSync(join(app, 'library.cjs'), source)
  expect(runNode('library.cjs')).toBe('works\n')
})

test('an old Node gets one line that says what is needed', () => {
  // As an old Node runs it: the file must parse there, and must look at the version before it imports anything.
  const old = "Object.defineProperty(process.versions, 'node', { value: '20.20.2' })"
  writeFileSync(join(app, 'old.cjs'), old)
  try {
    execFileSync(
      process.execPath,
      ['--require', './old.cjs', 'node_modules/dist-node/bin/dist-node.mjs', 'peers'],
      { cwd: app, encoding: 'utf8', stdio: 'pipe' }
    )
    expect.unreachable('it should have ended with exit code 2')
  } catch (error) {
    const { status, stderr } = error as { status: number; stderr: string }
    expect(status).toBe(2)
    expect(stderr).toMatch(/^dist-node needs Node\.js 24 or newer.*\n$/)
  }
})
