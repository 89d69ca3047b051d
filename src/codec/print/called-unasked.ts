/** Kinds of values that a program may take a result for. */
const KINDS: readonly Function[] = [
  Object,
  Function,
  Array,
  String,
  Number,
  BigInt,
  Boolean,
  Symbol,
  Date,
  RegExp,
  Map,
  Set,
  Promise,
  Iterator,
  Object.getPrototypeOf(Uint8Array) as Function
]

/**
 * Names of methods that the language calls by itself, to await a value, show it or calculate with it, and of those that a
 * program calls on what it takes for a list, a text or a number.
 */
export const CALLED_UNASKED: ReadonlySet<string> = new Set(
  KINDS.flatMap((kind) => Object.entries(Object.getOwnPropertyDescriptors(kind.prototype as object)))
    .filter(([, { value }]) => typeof value === 'function')
    .map(([name]) => name)
    .concat('toJSON', 'inspect', 'next', 'return', 'throw')
)
