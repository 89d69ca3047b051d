import type { Node } from 'acorn'
import { refuse } from '../errors.ts'
import { forEachNode } from '../source/syntax.ts'

/** A member of a class whose key is a variable: `[name]`. */
export interface NamedKey {
  readonly name: string
  /** Where the member is found; undefined for a field, which is only in instances. */
  readonly owner: 'class' | 'prototype' | undefined
  /** Of the member, as a function of it tells its own. */
  readonly text: string
}

/** Members of a class whose keys are calculated when the class is made. */
export interface ComputedKeys {
  readonly named: readonly NamedKey[]
  /** Names used in keys that are more than a name. */
  readonly calculatedFrom: ReadonlySet<string>
}

/** @param textOf the text of a node as it was written */
export function findComputedKeys(members: readonly Node[], textOf: (node: Node) => string): ComputedKeys {
  const named: NamedKey[] = []
  const calculatedFrom = new Set<string>()
  for (const member of members) {
    if (Reflect.get(member, 'computed') !== true) continue
    const key: Node = Reflect.get(member, 'key')
    if (key.type === 'Identifier') {
      const text = textOf(member).replace(/^static\b\s*/, '')
      named.push({ name: Reflect.get(key, 'name'), owner: ownerOf(member), text })
    } else {
      forEachNode(key, (node) => {
        if (node.type === 'Identifier') calculatedFrom.add(Reflect.get(node, 'name'))
      })
    }
  }
  return { named, calculatedFrom }
}

/**
 * Which names have to be there before the class is made, because members are named by them. A key that is calculated from
 * variables would be calculated anew, after they may have changed.
 *
 * @param captured names whose values can be read
 * @param unreadable names that only the making of the class used: nothing keeps their values but the members they name
 */
export function capturedKeys(
  { named, calculatedFrom }: ComputedKeys,
  captured: readonly string[],
  unreadable: readonly string[]
): string[] {
  const calculated = [...captured, ...unreadable].find((name) => calculatedFrom.has(name))
  const ofField = unreadable.find((name) => named.some((key) => key.name === name && key.owner === undefined))
  if (calculated !== undefined || ofField !== undefined) {
    refuse(
      'computed key',
      `a computed key of the class is calculated from the variable ${calculated ?? ofField}`,
      'put the result into a constant, as in `const key = …` and `[key]() {}`'
    )
  }
  return [...captured, ...unreadable].filter((name) => named.some((key) => key.name === name))
}

/** The key of a member, told by the text of the member. */
export function findKey(fn: Function, { named }: ComputedKeys, name: string): string | symbol | undefined {
  for (const { owner, text } of named.filter((each) => each.name === name)) {
    const object = owner === 'class' ? fn : (fn.prototype as object)
    const found = Reflect.ownKeys(object).find((key) => {
      const descriptor = Object.getOwnPropertyDescriptor(object, key) ?? {}
      return Object.values(descriptor).some((part) => typeof part === 'function' && String(part) === text)
    })
    if (found !== undefined) return found
  }
  return undefined
}

/** Makes sure that a variable still holds the key of the member it named. */
export function checkKey(fn: Function, { named }: ComputedKeys, name: string, value: unknown): void {
  const isKey = typeof value !== 'object' && typeof value !== 'function'
  const isCurrent = named.every((key) => {
    if (key.name !== name || key.owner === undefined || !isKey) return isKey
    return Object.hasOwn(key.owner === 'class' ? fn : (fn.prototype as object), value as PropertyKey)
  })
  if (isCurrent) return
  refuse(
    'computed key',
    `the variable ${name} no longer holds the key of the member it names`,
    'use a constant that holds a text or symbol'
  )
}

function ownerOf(member: Node): NamedKey['owner'] {
  if (Reflect.get(member, 'static') === true) return 'class'
  return member.type === 'MethodDefinition' ? 'prototype' : undefined
}
