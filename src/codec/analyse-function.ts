import { type Expression, type Node, parseExpressionAt, type Program } from 'acorn'
import { analyze } from 'eslint-scope'
import type { Program as EstreeProgram } from 'estree'
import { analyseClass, type ClassAnalysis } from './analyse-class.ts'
import { refuse } from './errors.ts'
import { children, forEachNode, isFunctionNode } from './syntax.ts'

/** How a function's own text has to be wrapped to become an expression. */
export type Form = 'expression' | 'method' | 'getter' | 'setter' | 'class'

/** A replacement in a text; equal in length to what it replaces, so that positions survive. */
export interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

export interface FunctionAnalysis {
  readonly form: Form
  readonly node: Node
  /** Offset of the text within what was parsed, to be subtracted from positions of nodes. */
  readonly offset: number
  /** Names the function uses and does not declare. */
  readonly freeNames: readonly string[]
  /** Of those, the ones it assigns to. */
  readonly writes: ReadonlySet<string>
  /** Of those, the ones used as `name.member` only, with the members. */
  readonly membersOf: ReadonlyMap<string, ReadonlySet<string>>
  /** Specifiers of import('…') and require('…') calls. */
  readonly loads: readonly string[]
  readonly usesOuterThis: boolean
  readonly edits: readonly Edit[]
  /** Of a class. */
  readonly class: ClassAnalysis | undefined
}

const PARSE_OPTIONS = {
  ecmaVersion: 'latest',
  sourceType: 'module',
  allowAwaitOutsideFunction: true,
  ranges: true
} as const

/** Finds what a function needs from outside, from its own text. */
export function analyseFunction(text: string, strict: boolean): FunctionAnalysis {
  const { form, node, offset, root } = parseFunction(text, strict)
  if (form === 'method' || form === 'getter' || form === 'setter') refuseSuper(node)
  // First, because it takes out of the tree what does not travel as text.
  const classAnalysis = form === 'class' ? analyseClass(node, text, offset) : undefined
  const { freeNames, membersOf, writes } = findFreeNames(root, strict)
  const edits: Edit[] = [...(classAnalysis?.edits ?? []), ...blankComputedKey(node, text, offset)]
  const loads: string[] = []
  forEachNode(node, (each) => {
    if (each.type === 'MetaProperty' && text.startsWith('import', each.start - offset)) {
      // Of equal length: a script may not say import.meta.
      edits.push({ start: each.start - offset, end: each.end - offset, text: '$importMeta' })
    }
    if (each.type === 'ImportExpression') {
      edits.push({ start: each.start - offset, end: each.start - offset + 'import'.length, text: '$load_' })
      const specifier = literalText(Reflect.get(each, 'source'))
      if (specifier !== undefined) loads.push(specifier)
    }
    if (each.type === 'CallExpression' && isName(Reflect.get(each, 'callee'), 'require')) {
      const specifier = literalText((Reflect.get(each, 'arguments') as Node[])[0])
      if (specifier !== undefined) loads.push(specifier)
    }
  })
  return {
    form,
    node,
    offset,
    freeNames,
    writes,
    membersOf,
    loads,
    usesOuterThis: usesOuterThis(node),
    edits,
    class: classAnalysis
  }
}

/** The key of a method is an expression of the scope around it: it is known already, as the function's name. */
function blankComputedKey(node: Node, text: string, offset: number): Edit[] {
  if (node.type !== 'Property' || Reflect.get(node, 'computed') !== true) return []
  const key: Node = Reflect.get(node, 'key')
  const start = text.lastIndexOf('[', key.start - offset)
  const end = text.indexOf(']', key.end - offset) + 1
  return [{ start, end, text: '_' }]
}

interface Parsed {
  readonly form: Form
  readonly node: Node
  readonly offset: number
  readonly root: Program
}

function parseFunction(text: string, strict: boolean): Parsed {
  const options = { ...PARSE_OPTIONS, sourceType: strict ? ('module' as const) : ('script' as const) }
  const parse = (prefix: string, suffix: string): Expression | undefined => {
    try {
      return parseExpressionAt(`${prefix}${text}${suffix}`, 0, options)
    } catch {
      return undefined
    }
  }
  const expression = parse('(', '\n)')
  if (expression !== undefined) {
    return {
      form: expression.type === 'ClassExpression' ? 'class' : 'expression',
      node: expression,
      offset: 1,
      root: programOf(expression)
    }
  }
  const object = parse('({', '\n})')
  if (object?.type === 'ObjectExpression' && object.properties[0]?.type === 'Property') {
    const [property] = object.properties
    const form = property.kind === 'init' ? 'method' : property.kind === 'get' ? 'getter' : 'setter'
    return { form, node: property, offset: 2, root: programOf(property.value) }
  }
  return refuse(
    'private method',
    'a method that uses private members (#name) exists only with its class',
    'send the class, or an instance of it, instead of the method alone'
  )
}

function programOf(expression: Expression): Program {
  const { start, end } = expression
  const statement = { type: 'ExpressionStatement', expression, start, end } as const
  return { type: 'Program', body: [statement], sourceType: 'module', start, end }
}

function findFreeNames(
  root: Program,
  strict: boolean
): Pick<FunctionAnalysis, 'freeNames' | 'membersOf' | 'writes'> {
  const scopes = analyze(root as EstreeProgram, {
    ecmaVersion: 2022,
    sourceType: strict ? 'module' : 'script'
  })
  const names = new Set<string>()
  const writes = new Set<string>()
  const uses = new Map<string, Set<object>>()
  for (const reference of scopes.globalScope?.through ?? []) {
    const { identifier } = reference
    if (identifier.name === 'arguments') continue
    names.add(identifier.name)
    if (reference.isWrite()) writes.add(identifier.name)
    uses.set(identifier.name, (uses.get(identifier.name) ?? new Set<object>()).add(identifier))
  }
  return { freeNames: [...names], writes, membersOf: findMembers(root, uses) }
}

function findMembers(
  root: Program,
  uses: ReadonlyMap<string, ReadonlySet<object>>
): Map<string, Set<string>> {
  const members = new Map<string, Set<string>>()
  const counts = new Map<string, number>()
  forEachNode(root, (node) => {
    if (node.type !== 'MemberExpression' || Reflect.get(node, 'computed') === true) return
    const object: Node = Reflect.get(node, 'object')
    const name: unknown = Reflect.get(object, 'name')
    if (object.type !== 'Identifier' || typeof name !== 'string' || uses.get(name)?.has(object) !== true)
      return
    members.set(
      name,
      (members.get(name) ?? new Set<string>()).add(Reflect.get(Reflect.get(node, 'property'), 'name'))
    )
    counts.set(name, (counts.get(name) ?? 0) + 1)
  })
  for (const [name, count] of counts) if (count !== uses.get(name)?.size) members.delete(name)
  return members
}

function refuseSuper(method: Node): void {
  const uses = (node: Node): boolean =>
    node.type === 'Super' || children(node).some((child) => !ownsSuper(child) && uses(child))
  const value: Node = Reflect.get(method, 'value')
  if (!children(value).some(uses)) return
  refuse(
    'super method',
    'a method that uses super exists only with its object',
    'send the class or object it belongs to'
  )
}

function ownsSuper(node: Node): boolean {
  return node.type === 'ClassBody' || (node.type === 'Property' && Reflect.get(node, 'method') === true)
}

/** Does an arrow function use the `this` of the function around it? */
function usesOuterThis(node: Node): boolean {
  if (node.type !== 'ArrowFunctionExpression') return false
  const uses = (each: Node): boolean =>
    each.type === 'ThisExpression' ||
    each.type === 'Super' ||
    children(each).some((child) => !isFunctionNode(child) && child.type !== 'ClassBody' && uses(child))
  return children(node).some((child) => !isFunctionNode(child) && uses(child))
}

function literalText(node: unknown): string | undefined {
  const value: unknown = typeof node === 'object' && node !== null ? Reflect.get(node, 'value') : undefined
  return typeof value === 'string' ? value : undefined
}

function isName(node: Node, name: string): boolean {
  return node.type === 'Identifier' && Reflect.get(node, 'name') === name
}
