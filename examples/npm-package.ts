/**
 * A package of npm inside jobs: the parser acorn counts what JavaScript files are made of. The other machines need not
 * have it installed; the functions that are used travel.
 *
 *     dist-node run examples/npm-package.ts -- node_modules/commander/lib
 */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'acorn'
import type { JobResult } from 'dist-node'

type Counts = Record<string, number>

function countSyntax(source: string): Counts {
  const counts: Counts = {}
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    if ('type' in node && typeof node.type === 'string') counts[node.type] = (counts[node.type] ?? 0) + 1
    for (const child of Object.values(node)) visit(child)
  }
  visit(parse(source, { ecmaVersion: 'latest', sourceType: 'module', allowReturnOutsideFunction: true }))
  return counts
}

/** Files are read where the command was typed: jobs see no file. */
export default function* sources([folder = 'node_modules/commander/lib']: string[]): Generator {
  for (const file of globSync('**/*.js', { cwd: folder }).toSorted()) {
    const source = readFileSync(join(folder, file), 'utf8')
    yield () => countSyntax(source)
  }
}

export async function collect(results: AsyncIterable<JobResult<Counts>>): Promise<void> {
  const total = new Map<string, number>()
  let files = 0
  for await (const { value } of results) {
    files++
    for (const [type, count] of Object.entries(value)) total.set(type, (total.get(type) ?? 0) + count)
  }
  console.log(`${files} files are made of:`)
  const top = [...total].toSorted(([, a], [, b]) => b - a).slice(0, 10)
  for (const [type, count] of top) console.log(`${String(count).padStart(9)}  ${type}`)
}
