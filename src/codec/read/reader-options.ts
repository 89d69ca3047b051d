import type { BuiltinPath } from '../builtins.ts'
import type { NestedUnit } from '../source/nested-unit.ts'

export interface ReaderOptions {
  /** Answers for a built-in module, or throws for one that is not to be had. @default process.getBuiltinModule */
  readonly requireBuiltin?: (name: string) => unknown
  /** Values come from a peer: no property may hold a function that runs without being called. @default false */
  readonly isFromPeer?: boolean
  /** May a value name this built-in directly? @default everything may */
  readonly allowBuiltin?: (path: BuiltinPath) => boolean
  /** In place of functions and classes of another program: no unit is used then. @default they are made of their units */
  readonly makeStandIn?: () => Function
  /** A function this process printed itself, by identity. @default none is known */
  readonly findOriginal?: (identity: number) => Function | undefined
  /**
   * In place of what a bundle exports, what this process imported itself: undefined when it imported no such thing.
   * @default bundles are evaluated
   */
  readonly findMember?: (hash: string, path: readonly string[]) => unknown
  /** The same of symbols. */
  readonly findOriginalSymbol?: (identity: number) => symbol | undefined
  /** Puts positions as the user wrote them in place of positions as run. @default they stay */
  readonly mapStack?: (stack: string) => string
  /** Does addUnit make sure that bytes have the hash they came under? Not needed where a node has done so. @default true */
  readonly checkHashes?: boolean
  /** A function written inside such a unit, by where it begins. @default none is taken out of its unit */
  readonly findNested?: (hash: string, start: number) => NestedUnit | undefined
  /** A unit this process printed itself. @default only units that were added are known */
  readonly findUnit?: (hash: string) => Uint8Array | undefined
}
