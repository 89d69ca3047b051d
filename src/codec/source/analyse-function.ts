import type { Node } from 'acorn'
import { analyseClass, type ClassAnalysis } from './analyse-class.ts'
import type { Edit } from './edit.ts'
import { refuse } from '../errors.ts'
import { findFreeNames, type FreeNames } from './free-names.ts'
import { listNested, type Nested } from './nested-functions.ts'
import { type Form, parseFunction } from './parse-function.ts'
import { children, forEachNode, isFunctionNode } from './syntax.ts'

export interface FunctionAnalysis extends FreeNames {
  readonly form: Form
  /** What its `length` is unless something else was put there. */
  readonly length: number
  /** Specifiers of import('…') and require('…') calls. */
  readonly loads: readonly string[]
  readonly usesOuterThis: boolean
  readonly edits: readonly Edit[]
  /** Of a class. */
  readonly class: ClassAnalysis | undefined
  readonly nested: readonly Nested[]
}

/** Finds what a function needs from outside, from its own text. */
export function analyseFunction(text: string, strict: boolean): FunctionAnalysis {
  const { form, node, offset, root } = parseFunction(text, strict)
  if (form === 'method' || form === 'getter' || form === 'setter') refuseSuper(node)
  // First, because it takes out of the tree what does not travel as text.
  const classAnalysis = form === 'class' ? analyseClass(node, text, offset) : undefined
  const names = findFreeNames(root, strict)
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
    ...names,
    form,
    length: lengthOf(node),
    loads,
    usesOuterThis: usesOuterThis(node),
    edits,
    class: classAnalysis,
    nested: listNested(node, names.scopes, offset, text)
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

/** Of a function, method or class: parameters up to the first that may be left out. */
function lengthOf(node: Node): number {
  if (node.type === 'ClassExpression') {
    const members: Node[] = Reflect.get(Reflect.get(node, 'body') as object, 'body')
    const made = members.find((member) => Reflect.get(member, 'kind') === 'constructor')
    return made === undefined ? 0 : lengthOf(made)
  }
  const value: Node | undefined = Reflect.get(node, 'value')
  const parameters: Node[] = Reflect.get(value ?? node, 'params')
  const optional = parameters.findIndex(({ type }) => type === 'AssignmentPattern' || type === 'RestElement')
  return optional === -1 ? parameters.length : optional
}
