import { analyseFunction } from './analyse-function.ts'
import { applyEdits } from './edit.ts'
import { findFreeNames } from './free-names.ts'
import { listNested } from './nested-functions.ts'
import { parseFunction } from './parse-function.ts'
import type { FunctionUnit } from '../unit.ts'

/** A function written inside a unit, as a unit of its own. */
export interface NestedUnit {
  readonly unit: FunctionUnit
  /** The names whose values come with it: those the unit captures, and maybe more. */
  readonly names: readonly string[]
}

/**
 * Takes a function out of the unit it is written in. This is how functions come back that a job made: it says which they
 * are, and their text is found here, in what this process printed itself.
 *
 * @returns undefined when no function that can be taken out begins there
 */
export function nestedUnit(outer: FunctionUnit, start: number): NestedUnit | undefined {
  const described = Object.hasOwn(outer.nested ?? {}, start) ? outer.nested?.[start] : undefined
  if (described === undefined || typeof described === 'string') return undefined
  const names = 'names' in described ? described.names : described
  const { node, offset, root } = parseFunction(outer.source, outer.strict)
  const { scopes } = findFreeNames(root, outer.strict)
  const found = listNested(node, scopes, offset, outer.source).find((each) => each.start === start)
  if (found === undefined) return undefined
  const text = outer.source.slice(start, found.node.end - offset)
  const isStrict = outer.strict || found.isStrict
  const analysis = analyseFunction(text, isStrict)
  const captured = names.filter((name) => analysis.freeNames.includes(name))
  const links = Object.entries(outer.links).filter(
    ([name]) => analysis.freeNames.includes(name) && !captured.includes(name)
  )
  const before = outer.source.slice(0, start).split(/\r\n|[\n\r\u2028\u2029]/)
  const lastLine = before.at(-1) ?? ''
  const unit: FunctionUnit = {
    kind: 'function',
    form: analysis.form,
    file: outer.file,
    line: outer.line + before.length - 1,
    column: lastLine.length + (before.length === 1 ? outer.column : 0),
    strict: isStrict,
    // Each of its closures brings its own.
    name: '',
    source: applyEdits(text, analysis.edits),
    captured,
    links: Object.fromEntries(links),
    privateStatics: analysis.class?.privateStatics ?? [],
    ...(analysis.class?.parentName === undefined ? {} : { parentName: analysis.class.parentName })
  }
  return { unit, names }
}
