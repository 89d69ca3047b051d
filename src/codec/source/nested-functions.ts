import type { Node } from 'acorn'
import type { Reference, ScopeManager, Variable } from 'eslint-scope'
import { children, isFunctionNode } from './syntax.ts'

/** A function or class written inside a unit, as a job may make and return it. */
export interface Nested {
  readonly node: Node
  /** Where its text begins, counted from the beginning of the unit's. */
  readonly start: number
  /** Names it uses of those that the unit declares around it, with the variable each means. */
  readonly local: ReadonlyMap<string, Variable>
  /** Names it uses that the unit does not declare. */
  readonly free: readonly string[]
  /** What it needs of the code around it that no variable holds: it cannot be taken out. */
  readonly outer: string | undefined
  readonly isStrict: boolean
}

/**
 * Lists the functions written inside one.
 *
 * @param offset what to take off positions of nodes
 */
export function listNested(root: Node, scopes: ScopeManager, offset: number, text: string): Nested[] {
  const found: Nested[] = []
  // A method's function is not listed: the text of a function that is a method begins with its key.
  const visit = (node: Node, isMethod: boolean): ReadonlySet<string> => {
    const uses = new Set<string>()
    const ofMethod = isMethodNode(node)
    for (const child of children(node)) {
      for (const use of visit(child, ofMethod && child === Reflect.get(node, 'value'))) uses.add(use)
    }
    const own = ownUse(node)
    if (own !== undefined) uses.add(own)
    if (isFunctionNode(node)) for (const name of OWN_OF_FUNCTIONS) uses.delete(name)
    if (
      !isMethod &&
      (isFunctionNode(node) || node.type === 'ArrowFunctionExpression' || ofMethod || isClass(node))
    ) {
      if (isClass(node)) removeOwnOfClass(node, uses)
      const start = startOf(node, text, offset)
      const scope = scopes.acquire(ofMethod ? (Reflect.get(node, 'value') as never) : (node as never))
      const names = namesOf(scope?.through ?? [], node)
      found.push({
        node,
        start,
        ...names,
        outer: uses.values().next().value,
        isStrict: scope?.isStrict ?? false
      })
    }
    if (node.type === 'ObjectExpression') uses.delete('super')
    return uses
  }
  for (const child of children(root)) visit(child, isMethodNode(root) && child === Reflect.get(root, 'value'))
  return found
}

const OWN_OF_FUNCTIONS = ['this', 'arguments', 'new.target']

function isClass({ type }: Node): boolean {
  return type === 'ClassExpression' || type === 'ClassDeclaration'
}

function isMethodNode(node: Node): boolean {
  if (node.type === 'MethodDefinition') return true
  return (
    node.type === 'Property' && (Reflect.get(node, 'method') === true || Reflect.get(node, 'kind') !== 'init')
  )
}

function ownUse(node: Node): string | undefined {
  switch (node.type) {
    case 'ThisExpression':
      return 'this'
    case 'Super':
      return 'super'
    case 'MetaProperty':
      return Reflect.get(Reflect.get(node, 'meta') as object, 'name') === 'new' ? 'new.target' : undefined
    case 'Identifier':
      return Reflect.get(node, 'name') === 'arguments' ? 'arguments' : undefined
    case 'PrivateIdentifier':
      return `#${String(Reflect.get(node, 'name'))}`
    default:
      return undefined
  }
}

/** Of what a class uses, its own `this`, `super` and private members; a key made of variables is made once only. */
function removeOwnOfClass(node: Node, uses: Set<string>): void {
  for (const name of [...OWN_OF_FUNCTIONS, 'super']) uses.delete(name)
  for (const member of Reflect.get(Reflect.get(node, 'body') as object, 'body') as Node[]) {
    const key: Node | undefined = Reflect.get(member, 'key')
    if (key?.type === 'PrivateIdentifier') uses.delete(`#${String(Reflect.get(key, 'name'))}`)
    if (Reflect.get(member, 'computed') === true && key?.type !== 'Literal' && !isSymbolKey(key))
      uses.add('computed keys')
  }
}

/** `Symbol.iterator` and its like. */
function isSymbolKey(key: Node | undefined): boolean {
  const object: object | undefined = key?.type === 'MemberExpression' ? Reflect.get(key, 'object') : undefined
  return object !== undefined && Reflect.get(object, 'name') === 'Symbol'
}

/** Where the text of a function begins, as the function itself tells it. */
function startOf(node: Node, text: string, offset: number): number {
  const start = node.start - offset
  if (node.type !== 'MethodDefinition' || Reflect.get(node, 'static') !== true) return start
  return start + (/^static\s*/.exec(text.slice(start, start + 100))?.[0].length ?? 0)
}

function namesOf(references: readonly Reference[], node: Node): Pick<Nested, 'local' | 'free'> {
  const local = new Map<string, Variable>()
  const free = new Set<string>()
  for (const { identifier, resolved } of references) {
    if (isState(node, identifier as unknown as Node)) continue
    if (resolved === null) free.add(identifier.name)
    else local.set(identifier.name, resolved)
  }
  return { local, free: [...free] }
}

/** Is a name used only to make a class: by its parent or the value of a static? These travel as values. */
function isState(node: Node, { start }: Node): boolean {
  if (!isClass(node)) return false
  const parent: Node | null = Reflect.get(node, 'superClass')
  const members: Node[] = Reflect.get(Reflect.get(node, 'body') as object, 'body')
  const parts = members.flatMap((member) => {
    if (member.type === 'StaticBlock') return [member]
    if (Reflect.get(member, 'static') !== true || member.type !== 'PropertyDefinition') return []
    return [Reflect.get(member, 'value') as Node | null]
  })
  return [parent, ...parts].some((part) => part !== null && start >= part.start && start < part.end)
}
