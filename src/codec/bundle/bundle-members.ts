import { createHash } from 'node:crypto'
import type { Metafile } from 'esbuild'

/** One thing that a bundle exports. */
export interface Member {
  /** The module that exports it, as the graph names it. */
  readonly input: string
  /** Under which name that module has it from its package. */
  readonly name: string
}

/**
 * What each member of a bundle is made of, as a hash: of the files it reaches by imports, in the order in which it reaches
 * them, by content and not by place. So it does not change with what else is in the bundle.
 *
 * @param files SHA-256 of each input that is a file
 */
export function memberKeys(
  members: readonly Member[],
  graph: Metafile['inputs'],
  files: ReadonlyMap<string, string>
): string[] {
  return members.map(({ input: entry, name }) => {
    const hash = createHash('sha256').update(`${name}\n`)
    const numbers = new Map<string, number>()
    const visit = (input: string): void => {
      numbers.set(input, numbers.size)
      hash.update(`${files.get(input) ?? ''}\n`)
      for (const { path, external, kind } of graph[input]?.imports ?? []) {
        const target = external === true ? path : numbers.get(path)
        hash.update(`${kind} ${target ?? 'next'}\n`)
        if (target === undefined) visit(path)
      }
    }
    visit(entry)
    return hash.digest('hex')
  })
}
