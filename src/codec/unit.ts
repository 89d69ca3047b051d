/** Something a unit needs besides captured variables, found anew in each process. */
export type Link =
  /** A built-in module of Node, or a part of it; `*` is its namespace. */
  | { readonly kind: 'builtin'; readonly module: string; readonly name: string }
  /** What another unit exports, or a part of it; `*` is its namespace. */
  | { readonly kind: 'bundle'; readonly hash: string; readonly name: string }
  /** The function behind `import('…')` and `require('…')`. */
  | {
      readonly kind: 'load'
      readonly how: 'import' | 'require'
      readonly targets: Readonly<Record<string, LoadTarget>>
    }
  /** `import.meta` as it is where the function was written. */
  | { readonly kind: 'meta'; readonly url: string }

export type LoadTarget =
  | { readonly kind: 'builtin'; readonly module: string }
  | { readonly kind: 'bundle'; readonly hash: string; readonly name: string }

/** The printed source of one function site. */
export interface FunctionUnit {
  readonly kind: 'function'
  readonly form: 'expression' | 'method' | 'getter' | 'setter' | 'class'
  /** As stack traces should show it: a path or URL. */
  readonly file: string
  /** Where the text begins in that file, counted from 0. */
  readonly line: number
  readonly column: number
  readonly strict: boolean
  /** The function's `name`. */
  readonly name: string
  readonly source: string
  /** Captured variables, in the order their values travel. */
  readonly captured: readonly string[]
  readonly links: Readonly<Record<string, Link>>
  /** Private static fields of a class, without `#`; their values travel after the captured ones. */
  readonly privateStatics: readonly string[]
  /** How many of the captured values, the first ones, name members of a class: they are there before it is made. @default 0 */
  readonly keys?: number
  /** Captured variables that functions share: their values are cells. @default none */
  readonly cells?: readonly string[]
  /** The name that stands for the class extended. */
  readonly parentName?: string
  /** Functions written inside it, by where their text begins in the source. @default none */
  readonly nested?: Readonly<Record<string, NestedFunction>>
}

/**
 * The names a function written inside a unit captures, and of those that change and that others of the unit use too, which
 * variable each is; or what the function needs of the code around it that no variable holds.
 */
export type NestedFunction =
  | readonly string[]
  | { readonly names: readonly string[]; readonly shared: Readonly<Record<string, string>> }
  | string

/** Modules bundled into the body of one CommonJS module. */
export interface BundleUnit {
  readonly kind: 'bundle'
  readonly file: string
  readonly source: string
}

export type Unit = FunctionUnit | BundleUnit

/** Lower-case hex SHA-256: the name of a unit. */
export function hashUnit(bytes: Uint8Array): string {
  // Looked up when needed: a worker process starts some ten milliseconds sooner without it.
  return process.getBuiltinModule('node:crypto').hash('sha256', bytes)
}
