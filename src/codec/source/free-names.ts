import type { Node, Program } from 'acorn'
import { analyze, type ScopeManager } from 'eslint-scope'
import type { Program as EstreeProgram } from 'estree'
import { refuse } from '../errors.ts'
import { forEachNode } from './syntax.ts'

/** The names a function uses and does not declare. */
export interface FreeNames {
  readonly freeNames: readonly string[]
  /** Of those, the ones it assigns to. */
  readonly writes: ReadonlySet<string>
  /** Of those, the ones used as `name.member` only, with the members. */
  readonly membersOf: ReadonlyMap<string, ReadonlySet<string>>
  readonly scopes: ScopeManager
}

export function findFreeNames(root: Program, strict: boolean): FreeNames {
  const scopes = analyze(root as EstreeProgram, {
    ecmaVersion: 2022,
    sourceType: strict ? 'module' : 'script'
  })
  const names = new Set<string>()
  const writes = new Set<string>()
  const uses = new Map<string, Set<object>>()
  for (const reference of scopes.globalScope?.through ?? []) {
    const { identifier } = reference
    if (identifier.name === 'arguments') refuseOuterArguments()
    names.add(identifier.name)
    if (reference.isWrite()) writes.add(identifier.name)
    uses.set(identifier.name, (uses.get(identifier.name) ?? new Set<object>()).add(identifier))
  }
  return { freeNames: [...names], writes, membersOf: findMembers(root, uses), scopes }
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

/** Every other function has `arguments` of its own. */
function refuseOuterArguments(): never {
  return refuse(
    'outer arguments',
    'an arrow function that uses the `arguments` of the function around it cannot take them along',
    'name them as a parameter of that function, as in `(...args)`'
  )
}
