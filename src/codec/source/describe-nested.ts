import type { Variable } from 'eslint-scope'
import type { Nested } from './nested-functions.ts'
import type { FunctionUnit, NestedFunction } from '../unit.ts'

/**
 * What a worker process has to know of the functions written inside a unit: it has no parser.
 *
 * @param captured names that the unit captures
 * @param writes of those, the ones that are assigned to
 */
export function describeNested(
  nested: readonly Nested[],
  captured: readonly string[],
  writes: ReadonlySet<string>
): Pick<FunctionUnit, 'nested'> {
  if (nested.length === 0) return {}
  const shared = countShared(nested, captured, writes)
  const entries = nested.map(({ start, local, free, outer }): [number, NestedFunction] => {
    if (outer !== undefined) return [start, outer]
    const names = namesOf({ local, free }, captured)
    const changing = names
      .map((name) => [name, keyOf(local.get(name), name)] as const)
      .filter(([, key]) => (shared.get(key) ?? 0) > 1)
    return [start, changing.length === 0 ? names : { names, shared: Object.fromEntries(changing) }]
  })
  return { nested: Object.fromEntries(entries) }
}

/** Of variables that change: how many of the functions use each. */
function countShared(
  nested: readonly Nested[],
  captured: readonly string[],
  writes: ReadonlySet<string>
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { local, free } of nested) {
    for (const name of namesOf({ local, free }, captured)) {
      const variable = local.get(name)
      const changes = variable === undefined ? writes.has(name) : isChanged(variable)
      const key = keyOf(variable, name)
      if (changes) counts.set(key, (counts.get(key) ?? 0) + 1)
    }
  }
  return counts
}

function namesOf({ local, free }: Pick<Nested, 'local' | 'free'>, captured: readonly string[]): string[] {
  return [...local.keys(), ...free.filter((name) => captured.includes(name) && !local.has(name))]
}

/** The name and where it is declared; the name alone for a variable from outside. */
function keyOf(variable: Variable | undefined, name: string): string {
  return variable === undefined ? name : `${name} ${variable.defs[0]?.name.range?.[0] ?? ''}`
}

function isChanged({ references }: Variable): boolean {
  return references.some((reference) => reference.isWrite() && reference.init !== true)
}
