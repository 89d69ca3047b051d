/**
 * Writes docs/api.md out of the docstrings in the source: `npm run api-docs`. A test fails when the two differ, or when
 * something public has no docstring.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { anchors, chapter } from './markdown.ts'
import { type Docstring, publicSymbols } from './public-symbols.ts'

const root = join(import.meta.dirname, '../..')

const HEAD = `# The library

Every name that \`dist-node\` and \`dist-node/testing\` export. Times are in milliseconds, as the names say; sizes of
memory in MiB. What each error code means and what to do about it is in [errors.md](errors.md), what may travel in
[what-travels.md](what-travels.md).

<!-- Made by scripts/api-docs/main.ts out of the docstrings in the source: change those, then \`npm run api-docs\`. -->`

/** The whole document. */
export function apiDocument(): string {
  const main = publicSymbols(join(root, 'src/index.ts'))
  const testing = publicSymbols(join(root, 'src/testing.ts'))
  const known = anchors([main.symbols, testing.symbols])
  const chapters = [
    chapter('dist-node', undefined, main.symbols, known),
    chapter('dist-node/testing', testing.doc, testing.symbols, known)
  ]
  return `${[HEAD, ...chapters].join('\n\n')}\n`
}

/** What is public and not described, or a function or class without an example. */
export function undocumented(): string[] {
  const symbols = ['src/index.ts', 'src/testing.ts'].flatMap(
    (file) => publicSymbols(join(root, file)).symbols
  )
  const says = (doc: Docstring | undefined): boolean => doc !== undefined && doc.text !== ''
  return symbols.flatMap(({ name, kind, doc, members }) => [
    ...(says(doc) ? [] : [name]),
    ...((kind === 'function' || kind === 'class') && !doc?.tags.some((tag) => tag.name === 'example')
      ? [`${name}: an example`]
      : []),
    ...members
      // What these two do is the language's affair; `name` of an error says its class.
      .filter(({ name, doc }) => !says(doc) && !/^\[Symbol\.|^name$/.test(name))
      .map((member) => `${name}.${member.name}`)
  ])
}

if (import.meta.main) writeFileSync(join(root, 'docs/api.md'), apiDocument())
