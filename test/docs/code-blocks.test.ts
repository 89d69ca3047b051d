/** The TypeScript of the documents is what the compiler takes. */
import { execFileSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import * as library from '../../src/index.ts'

const root = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'dist-node-blocks-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** What blocks take for granted, so that they can be as short as they are: all that the library exports, and this. */
const SCENERY = `
declare const node: import('dist-node').DistNode
declare const jobs: (() => number)[], id: string, password: string, signal: AbortSignal, item: import('dist-node').JobLike
interface Picture { readonly width: number }
declare const picture: Picture, pictures: Picture[], expected: Picture[], words: string[], sizes: number[], tiles: string[]
declare const error: unknown, socket: import('node:net').Socket, powerMonitor: import('node:events').EventEmitter
declare const assert: typeof import('node:assert/strict')
declare const createTestMesh: typeof import('dist-node/testing').createTestMesh
declare function resize(picture: Picture, size?: number): Picture
declare function render(tile: string): Picture
declare function startAnew(): void
declare function findPrime(above: bigint): bigint
declare function whiten(word: string): string
declare function simulate(size: number): number
declare function show(...values: unknown[]): void
declare function save(picture: Picture): void
`

/** Signatures stand right below their headings in docs/api.md, which is made of the sources. */
function blocksOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
  const names: string[] = []
  for (const { 1: code = '', index } of text.matchAll(/^```ts\n([^]*?)^```/gm)) {
    const before = text.slice(0, index)
    if (file === 'docs/api.md' && /^###+ .*\n\n$/m.test(before.split('\n').slice(-3).join('\n'))) continue
    const name = `${file.replace('/', '-')}-line-${before.split('\n').length}.ts`
    // `…` stands for what the reader does with it.
    writeFileSync(
      join(folder, name),
      `${code.replaceAll(' … ', ' void 0 ').replaceAll(' …\n', ' void 0\n')}\nexport {}\n`
    )
    names.push(name)
  }
  return names
}

test('every example of the README and of docs has the right types', () => {
  const names = ['README.md', ...globSync('docs/*.md', { cwd: root })].flatMap(blocksOf)
  expect(names.length).toBeGreaterThan(40)
  const exported = Object.keys(library).map(
    (name) => `declare const ${name}: typeof import('dist-node').${name}\n`
  )
  writeFileSync(join(folder, 'scenery.d.ts'), SCENERY + exported.join(''))
  writeFileSync(join(folder, 'resize.ts'), 'export const resize = (picture: Picture): Picture => picture\n')
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  const paths = {
    'dist-node': [join(root, 'src/index.ts')],
    'dist-node/testing': [join(root, 'src/testing.ts')],
    vitest: [join(root, 'node_modules/vitest')]
  }
  const compilerOptions = {
    noEmit: true,
    rootDir: '/',
    paths,
    typeRoots: [join(root, 'node_modules/@types')],
    noUnusedLocals: false,
    noUncheckedIndexedAccess: false,
    rewriteRelativeImportExtensions: false,
    allowImportingTsExtensions: true
  }
  const project = { extends: join(root, 'tsconfig.json'), compilerOptions, include: ['*.ts'] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(project))
  expect(compile()).toBe('')
})

/** @returns what the compiler found */
function compile(): string {
  const compiler = join(root, 'node_modules/.bin/tsc')
  try {
    return execFileSync(compiler, ['--project', folder, '--pretty', 'false'], {
      encoding: 'utf8',
      stdio: 'pipe'
    })
  } catch (error) {
    return (error as { stdout: string }).stdout
  }
}
