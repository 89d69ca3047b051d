import type { Node } from 'acorn'

/** The nodes directly under a node of a syntax tree. */
export function children(node: Node): Node[] {
  const found: Node[] = []
  for (const value of Object.values(node)) {
    if (isNode(value)) found.push(value)
    else if (Array.isArray(value)) for (const item of value) if (isNode(item)) found.push(item)
  }
  return found
}

export function forEachNode(node: Node, visit: (node: Node) => void): void {
  visit(node)
  for (const child of children(node)) forEachNode(child, visit)
}

/** A function with a `this` of its own. */
export function isFunctionNode(node: Node): boolean {
  return node.type === 'FunctionExpression' || node.type === 'FunctionDeclaration'
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}
