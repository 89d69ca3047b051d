import type { Node } from 'acorn'
import { type ComputedKeys, findComputedKeys } from '../print/class-keys.ts'
import type { Edit } from './edit.ts'
import { forEachNode } from './syntax.ts'

export interface ClassAnalysis {
  /** The name that stands for the class extended; absent when the class extends nothing. */
  readonly parentName: string | undefined
  /** Members the class body makes anew wherever it is evaluated. */
  readonly staticMembers: ReadonlySet<string>
  readonly instanceMembers: ReadonlySet<string>
  /** Some member's key is computed, so that the two sets are not the whole. */
  readonly hasComputedMembers: boolean
  readonly computedKeys: ComputedKeys
  /** Its instances hold private state, which nobody else can read. */
  readonly hasPrivateInstanceMembers: boolean
  readonly privateStatics: readonly string[]
  readonly edits: readonly Edit[]
}

/**
 * Finds what of a class is text and what is state. Its parent and its statics are state and travel as values, so their
 * expressions are taken out, of the text and of the tree: they must not run a second time, on another machine.
 */
export function analyseClass(node: Node, text: string, offset: number): ClassAnalysis {
  const edits: Edit[] = []
  const blank = (start: number, end: number, replacement = ''): void => {
    const old = text.slice(start - offset, end - offset)
    edits.push({
      start: start - offset,
      end: end - offset,
      text: replacement + blanks(old.slice(replacement.length))
    })
  }
  const parent: Node | null = Reflect.get(node, 'superClass')
  const parentName = parent === null ? undefined : findUnusedName(node)
  if (parent !== null && parentName !== undefined) {
    blank(parent.start, parent.end, parentName)
    Reflect.set(node, 'superClass', null)
  }
  const staticMembers = new Set<string>()
  const instanceMembers = new Set<string>()
  const privateStatics: string[] = []
  let hasComputedMembers = false
  let hasPrivateInstanceMembers = false
  const members: Node[] = Reflect.get(Reflect.get(node, 'body') as object, 'body')
  for (const member of members) {
    if (member.type === 'StaticBlock') {
      for (const statement of Reflect.get(member, 'body') as Node[]) blank(statement.start, statement.end)
      Reflect.set(member, 'body', [])
      continue
    }
    const isStatic = Reflect.get(member, 'static') === true
    const key: Node = Reflect.get(member, 'key')
    const isPrivate = key.type === 'PrivateIdentifier'
    if (isPrivate && !isStatic) hasPrivateInstanceMembers = true
    if (isPrivate && isStatic && member.type === 'PropertyDefinition')
      privateStatics.push(Reflect.get(key, 'name'))
    if (Reflect.get(member, 'computed') === true) hasComputedMembers = true
    else if (!isPrivate) (isStatic ? staticMembers : instanceMembers).add(nameOf(key))
    const value: Node | null = Reflect.get(member, 'value')
    if (isStatic && member.type === 'PropertyDefinition' && value !== null) {
      staticMembers.delete(nameOf(key))
      blank(text.indexOf('=', key.end - offset) + offset, member.end, ';')
      Reflect.set(member, 'value', null)
    }
  }
  if (privateStatics.length > 0) edits.push(givePrivateStatics(privateStatics, node.end - offset - 1))
  return {
    parentName,
    staticMembers,
    instanceMembers,
    hasComputedMembers,
    computedKeys: findComputedKeys(members, ({ start, end }) => text.slice(start - offset, end - offset)),
    hasPrivateInstanceMembers,
    privateStatics,
    edits
  }
}

/** A way in for the values of private static fields, at the very end, where it moves nothing but the last brace. */
function givePrivateStatics(names: readonly string[], end: number): Edit {
  const fields = names.map((name) => `this.#${name}`).join(', ')
  return { start: end, end, text: ` static { $private(($) => { [${fields}] = $ }) } ` }
}

/** A name of one letter, because it has to fit where any parent stood. */
function findUnusedName(node: Node): string {
  const used = new Set<unknown>()
  forEachNode(node, (each) => used.add(Reflect.get(each, 'name')))
  const letters = '$_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
  return Array.from(letters).find((letter) => !used.has(letter)) ?? 'ß'
}

function nameOf(key: Node): string {
  return String(Reflect.get(key, 'name') ?? Reflect.get(key, 'value'))
}

/** White space in place of a text, line by line. */
function blanks(text: string): string {
  return text.replace(/[^\n\r\u2028\u2029]/g, ' ')
}
