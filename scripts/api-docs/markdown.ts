/** The exports of a module as a chapter of docs/api.md. */
import type { Docstring, PublicMember, PublicSymbol } from './public-symbols.ts'

const KINDS = [
  ['function', 'Functions'],
  ['class', 'Classes'],
  ['interface', 'Objects'],
  ['type', 'Types'],
  ['constant', 'Constants']
] as const

/** Anchors of the sections, by name: GitHub writes them in lower case and numbers those that would be the same. */
export type Anchors = ReadonlyMap<string, string>

/** In the order in which {@link chapter} writes them. */
export function anchors(chapters: readonly (readonly PublicSymbol[])[]): Anchors {
  const taken = new Map<string, number>()
  const found = new Map<string, string>()
  for (const symbol of chapters.flatMap(inOrder)) {
    const slug = symbol.name.toLowerCase()
    const times = taken.get(slug) ?? 0
    taken.set(slug, times + 1)
    found.set(symbol.name, times === 0 ? slug : `${slug}-${times}`)
  }
  return found
}

function inOrder(symbols: readonly PublicSymbol[]): PublicSymbol[] {
  return KINDS.flatMap(([kind]) => symbols.filter((symbol) => symbol.kind === kind))
}

export function chapter(
  title: string,
  doc: Docstring | undefined,
  symbols: readonly PublicSymbol[],
  known: Anchors
): string {
  const parts = [`## ${title}`, ...(doc === undefined ? [] : [link(doc.text, known)])]
  for (const [kind, heading] of KINDS) {
    const some = symbols.filter((symbol) => symbol.kind === kind)
    if (some.length === 0) continue
    parts.push(`**${heading}:** ${some.map(({ name }) => `[${name}](#${known.get(name)})`).join(', ')}`)
  }
  for (const symbol of inOrder(symbols)) parts.push(section(symbol, known))
  return parts.join('\n\n')
}

function section(symbol: PublicSymbol, known: Anchors): string {
  const { name, kind, signature, doc, members } = symbol
  const parts = [`### ${name}`]
  if (kind !== 'interface' || members.length === 0 || signature.includes(' extends '))
    parts.push(code(signature))
  parts.push(...describe(doc, known))
  const properties = members.filter((member) => member.kind === 'property')
  if (properties.length > 0) parts.push(table(properties, known))
  for (const method of members.filter((member) => member.kind === 'method'))
    parts.push(`#### ${name}.${method.name}`, code(method.signature), ...describe(method.doc, known))
  return parts.join('\n\n')
}

function table(properties: readonly PublicMember[], known: Anchors): string {
  const rows = properties.map(({ name, signature, type, doc }) => {
    const optional = /^[^:]*\?:/.test(signature) ? '?' : ''
    const standard = tag(doc, 'default').map((text) => `Default: ${asCode(text)}.`)
    const text = [link(doc?.text ?? '', known), ...standard].join(' ').replaceAll(/\s*\n\s*/g, ' ')
    return `| \`${name}${optional}\` | ${cell(`\`${type.replaceAll(/\s*\n\s*/g, ' ')}\``)} | ${cell(text)} |`
  })
  return ['| name | type | |', '| --- | --- | --- |', ...rows].join('\n')
}

function describe(doc: Docstring | undefined, known: Anchors): string[] {
  if (doc === undefined) return []
  const parts = [link(doc.text, known)]
  const parameters = tag(doc, 'param').map((text) => text.replace(/^(\S+)/, '- `$1`:'))
  if (parameters.length > 0) parts.push(parameters.map((text) => link(text, known)).join('\n'))
  for (const text of tag(doc, 'default')) parts.push(`Default: ${asCode(text)}.`)
  for (const text of tag(doc, 'returns')) parts.push(`Returns ${link(text, known)}.`)
  const errors = tag(doc, 'throws').map((text) => `- Throws ${link(asType(text), known)}`)
  if (errors.length > 0) parts.push(errors.join('\n'))
  for (const text of tag(doc, 'example')) parts.push(code(text))
  return parts.filter((part) => part !== '')
}

function tag(doc: Docstring | undefined, name: string): string[] {
  return doc?.tags.filter((found) => found.name === name).map(({ text }) => text) ?? []
}

/** `{PrintError | MeshError} when …` */
function asType(text: string): string {
  return text.replace(/^\{([^}]*)\}/, (_all, types: string) =>
    types
      .split('|')
      .map((type) => `{@link ${type.trim()}}`)
      .join(' or ')
  )
}

function link(text: string, known: Anchors): string {
  return text.replaceAll(/\{@link ([\w.]+)\}/g, (_all, name: string) => {
    const anchor = known.get(name.replace(/\..*/, ''))
    return anchor === undefined ? `\`${name}\`` : `[\`${name}\`](#${anchor})`
  })
}

function asCode(text: string): string {
  return /^[\d_]+$|^'.*'$|^\[.*\]$|^(true|false)$/.test(text) ? `\`${text}\`` : text
}

function code(text: string): string {
  return `\`\`\`ts\n${text}\n\`\`\``
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
