import type { Node } from 'acorn'
import { parseBody, type SourceFile } from './source-file.ts'
import { forEachNode } from './syntax.ts'

/** A module that some function of a file loads when it runs. */
export interface Load {
  readonly specifier: string
  readonly how: 'import' | 'require'
}

const MENTIONS_LOADING = /\b(?:import|require)\s*\(/

/** All literal `import('…')` and `require('…')` of a file. */
export function findLoads(file: SourceFile): Load[] {
  if (!MENTIONS_LOADING.test(file.source)) return []
  const loads: Load[] = []
  const visit = (node: Node): void => {
    const how = howOf(node)
    const argument: unknown =
      how === 'import' ? Reflect.get(node, 'source') : (Reflect.get(node, 'arguments') as unknown[])?.[0]
    const specifier: unknown = how === undefined ? undefined : Reflect.get(argument ?? {}, 'value')
    if (how !== undefined && typeof specifier === 'string') loads.push({ specifier, how })
  }
  for (const node of parseBody(file.source, file.isModule) ?? []) forEachNode(node, visit)
  return loads
}

function howOf(node: Node): Load['how'] | undefined {
  if (node.type === 'ImportExpression') return 'import'
  if (node.type !== 'CallExpression') return undefined
  return Reflect.get(Reflect.get(node, 'callee') as object, 'name') === 'require' ? 'require' : undefined
}
