/** What a jobs file may export, and what is said of one that exports something else. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadJobsFile } from '../../src/node/jobs-file.ts'

let folder: string
let files = 0

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dist-node-jobs-file-'))
})

afterAll(() => rm(folder, { recursive: true }))

async function load(source: string, args: readonly string[] = []): ReturnType<typeof loadJobsFile> {
  const file = join(folder, `jobs-${files++}.mjs`)
  await writeFile(file, source)
  return loadJobsFile(file, args)
}

test('an iterable, or a function that gets the arguments and returns one; setup is one of the options', async () => {
  const { jobs } = await load('export default [() => 1, () => 2]')
  expect([...(jobs as Iterable<unknown>)]).toHaveLength(2)
  const made = await load(
    'export default async (args) => args\nexport const options = { retries: 2 }\nexport const setup = () => 5',
    ['a', 'b']
  )
  expect(made.jobs).toEqual(['a', 'b'])
  expect(made.options).toMatchObject({ retries: 2, setup: expect.any(Function) as unknown })
})

test.each([
  ['export const jobs = []', [], /default export to be an iterable of jobs .*, got none/],
  ['export default 5', [], /got number/],
  ['export default "text"', [], /got string/],
  ['export default []', ['a'], /takes no arguments, got 'a'/],
  ['export default []\nexport const setup = 5', [], /export setup to be a function, got number/],
  ['export default []\nexport const collect = {}', [], /export collect to be a function, got object/],
  ['export default []\nexport const options = 5', [], /export options to be an object, got number/],
  ['export default []\nexport const options = null', [], /export options to be an object, got null/],
  ['export default [', [], /cannot be loaded: .*SyntaxError/s],
  ['throw new RangeError("no")', [], /cannot be loaded: .*RangeError: no/s]
])('%s is refused', async (source, args, message) => {
  await expect(load(source, args)).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringMatching(message) as string
  })
})

test('a file that is not there is said to be so', async () => {
  await expect(loadJobsFile(join(folder, 'none.mjs'))).rejects.toThrow(/none\.mjs: no such file/)
})
