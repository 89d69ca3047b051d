/** What a module exports, read from its source: names, signatures, docstrings. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Comment, parseSync, type Program } from 'oxc-parser'

/** A docstring in parts. */
export interface Docstring {
  readonly text: string
  /** `@param name text`, `@throws text`, `@default text`, `@returns text`, `@example text`, in the order written. */
  readonly tags: readonly { readonly name: string; readonly text: string }[]
}

export interface PublicMember {
  readonly name: string
  readonly kind: 'property' | 'method'
  readonly signature: string
  /** Type of a property, as written. */
  readonly type: string
  readonly doc: Docstring | undefined
}

export interface PublicSymbol {
  readonly name: string
  readonly kind: 'function' | 'class' | 'interface' | 'type' | 'constant'
  /** Source without bodies, docstrings and `export`; of classes and interfaces only the head. */
  readonly signature: string
  readonly doc: Docstring | undefined
  readonly members: readonly PublicMember[]
}

/** The parts of oxc's syntax tree (ESTree with TypeScript) that are looked at here. */
interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [key: string]: unknown
}

interface SourceModule {
  readonly path: string
  readonly text: string
  readonly program: Program
  readonly comments: readonly Comment[]
}

/** All that the module at `path` exports, in the order written, and the docstring of the module itself. */
export function publicSymbols(path: string): { doc: Docstring | undefined; symbols: PublicSymbol[] } {
  const module = parse(path)
  const [first] = module.comments
  const doc = first?.value.includes('@packageDocumentation') ? docstring(first.value) : undefined
  const symbols = exportedNames(module).map(({ file, name }) => findSymbol(parse(file ?? path), name))
  return { doc, symbols }
}

function parse(path: string): SourceModule {
  const text = readFileSync(path, 'utf8')
  const { program, comments, errors } = parseSync(path, text)
  const [error] = errors
  if (error !== undefined) throw new Error(`${path}: ${error.message}`)
  return { path, text, program, comments }
}

function exportedNames(module: SourceModule): { file: string | undefined; name: string }[] {
  return statements(module).flatMap((statement) => {
    if (statement.type !== 'ExportNamedDeclaration') return []
    const source = statement['source'] as { value: string } | null
    const file = source === null ? undefined : join(dirname(module.path), source.value)
    const specifiers = statement['specifiers'] as { exported: { name: string } }[]
    const declared = statement['declaration'] as Node | null
    const names = declared === null ? specifiers.map(({ exported }) => exported.name) : [nameOf(declared)]
    return names.map((name) => ({ file, name }))
  })
}

function findSymbol(module: SourceModule, name: string): PublicSymbol {
  for (const statement of statements(module)) {
    const declaration = statement['declaration'] as Node | null | undefined
    if (statement.type !== 'ExportNamedDeclaration' || declaration == null) continue
    if (nameOf(declaration) !== name) continue
    const doc = docBefore(module, statement.start)
    return { name, doc, ...describe(module, declaration) }
  }
  throw new Error(`${module.path} exports no ${name}`)
}

function describe(module: SourceModule, node: Node): Pick<PublicSymbol, 'kind' | 'signature' | 'members'> {
  const body = node['body'] as Node | undefined
  const head = slice(module, node.start, body?.start ?? node.end)
  switch (node.type) {
    case 'FunctionDeclaration':
      return { kind: 'function', signature: head.replace(/^async /, ''), members: [] }
    case 'ClassDeclaration':
      return { kind: 'class', signature: head, members: members(module, body!) }
    case 'TSInterfaceDeclaration':
      return { kind: 'interface', signature: head, members: members(module, body!) }
    case 'TSTypeAliasDeclaration':
      return { kind: 'type', signature: head, members: [] }
    case 'VariableDeclaration':
      return { kind: 'constant', signature: head.replace(/^(const \w+: \w+) = [\s\S]*/, '$1'), members: [] }
    default:
      throw new Error(`${module.path}: no rule for ${node.type}`)
  }
}

/** Members that users see: no constructors (functions make everything), neither `#private` nor `@internal` ones, no brands. */
function members(module: SourceModule, body: Node): PublicMember[] {
  const nodes = body['body'] as Node[]
  return nodes.flatMap((node, at) => {
    const key = node['key'] as Node | undefined
    if (key === undefined || key.type === 'PrivateIdentifier') return []
    if (node['kind'] === 'constructor' || (node['computed'] === true && key.type === 'Identifier')) return []
    const overloads = overloadsBefore(module, nodes, at)
    const doc = docBefore(module, (overloads[0] ?? node).start)
    if (doc?.tags.some((tag) => tag.name === 'internal')) return []
    // Of a method with overloads, all are told where the implementation is, and no other place.
    if (isOverload(node)) return []
    const value = node['value'] as Node | null
    const code = value?.['body'] as Node | null | undefined
    const isAccessor = node['kind'] === 'get'
    const isMethod = !isAccessor && (node.type === 'MethodDefinition' || node.type === 'TSMethodSignature')
    const signature =
      overloads.length > 0
        ? overloads.map((overload) => tidy(slice(module, overload.start, overload.end))).join('\n')
        : tidy(slice(module, node.start, code?.start ?? node.end))
    const computed = node['computed'] === true
    const name = module.text.slice(key.start, key.end)
    return [
      {
        name: computed ? `[${name}]` : name,
        kind: isMethod ? 'method' : 'property',
        signature,
        type: isMethod ? '' : (/^[^:=]*[:=] ([\s\S]*)$/.exec(signature)?.[1] ?? ''),
        doc
      }
    ]
  })
}

function isOverload(node: Node): boolean {
  return (node['value'] as Node | null | undefined)?.type === 'TSEmptyBodyFunctionExpression'
}

/** The overloads of the method at a place: they stand right before it. */
function overloadsBefore(module: SourceModule, nodes: readonly Node[], at: number): Node[] {
  const nameAt = (index: number): string | undefined => {
    const key = nodes[index]?.['key'] as Node | undefined
    return key === undefined ? undefined : slice(module, key.start, key.end)
  }
  let first = at
  for (let before = nodes[first - 1]; before !== undefined; before = nodes[first - 1]) {
    if (!isOverload(before) || nameAt(first - 1) !== nameAt(at)) break
    first--
  }
  return nodes.slice(first, at)
}

function tidy(signature: string): string {
  return signature
    .replace(/^get (.*)\(\):/, 'readonly $1:')
    .replace(/^(override |async )+\*?|^\*/, '')
    .replaceAll(/^ {2}/gm, '')
}

function nameOf(declaration: Node): string {
  const declarators = declaration['declarations'] as { id: { name: string } }[] | undefined
  return (declarators?.[0]?.id ?? (declaration['id'] as { name: string })).name
}

function statements({ program }: SourceModule): Node[] {
  return program.body as unknown as Node[]
}

function slice({ text }: SourceModule, start: number, end: number): string {
  return text.slice(start, end).trim()
}

/** The docstring that ends right before a declaration. */
function docBefore(module: SourceModule, start: number): Docstring | undefined {
  const comment = module.comments.findLast(({ end }) => end <= start)
  if (comment === undefined || !comment.value.startsWith('*')) return undefined
  return module.text.slice(comment.end, start).trim() === '' ? docstring(comment.value) : undefined
}

function docstring(comment: string): Docstring {
  const lines = comment
    .replace(/^\*/, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trimEnd())
  // A tag may stand at the end of a line of text: `/** What it is. @default 1 */`.
  const [text = '', ...rest] = lines.join('\n').split(/(?:^|(?<=[.\s)`]) ?)@(?=[a-z]+\b)/im)
  const tags = rest.map((part) => {
    const [, name = '', more = ''] = /^(\w+)\s*([\s\S]*)$/.exec(part) ?? []
    return { name, text: more.trim() }
  })
  return { text: text.trim(), tags }
}
