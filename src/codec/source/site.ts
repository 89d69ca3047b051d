import type { ClassAnalysis } from './analyse-class.ts'
import type { Scope } from '../print/closure-inspector.ts'
import { refuse } from '../errors.ts'
import type { Binding } from './file-scopes.ts'
import type { SourceFile } from './source-file.ts'
import type { FunctionUnit } from '../unit.ts'

/** A place in source where functions are made: all that its closures have in common, found once. */
export interface Site {
  readonly unit: FunctionUnit
  readonly hashBytes: Uint8Array
  /** The unit and those it links to. */
  readonly hashes: readonly string[]
  readonly class: ClassAnalysis | undefined
  /** What the `length` of its closures is unless something else was put there. */
  readonly length: number
  /** Of the bundles it links to: when theirs is another one, the site has to be linked again. */
  readonly generation: number
  /** As the author wrote it. */
  readonly text: string
  readonly file: SourceFile
  /** Offset of the text in its file; -1 when it is not there. */
  readonly start: number
  /** Nothing changes what it captured, so that one of its closures need not be looked into twice. */
  readonly isConstant: boolean
  /** Which variables the captured names mean, where these may change. */
  readonly variables: ReadonlyMap<string, Binding>
  /** Captured names it assigns to. */
  readonly writes: readonly string[]
  /** Of captured names: those used for these members only. */
  readonly membersOf: ReadonlyMap<string, ReadonlySet<string>>
}

/** The value of a captured variable now. */
export function readVariable(scopes: readonly Scope[], name: string): unknown {
  for (const scope of scopes) {
    if (!Object.hasOwn(scope, name)) continue
    try {
      return scope[name]
    } catch {
      return refuse(
        'uninitialised variable',
        'it has no value yet',
        'print the function after the line that declares the variable has run'
      )
    }
  }
  return Reflect.get(globalThis, name)
}

export function hasVariable(scopes: readonly Scope[], name: string): boolean {
  return scopes.some((scope) => Object.hasOwn(scope, name))
}
