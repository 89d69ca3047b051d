import { type BuiltinPath, isGlobalName } from '../builtins.ts'

/** Roots that lead outside a calculation, or to code made from text. */
const NOT_FROM_A_PEER: ReadonlySet<string> = new Set([
  'Function',
  'eval',
  'process',
  'globalThis',
  'global',
  'fetch',
  'WebSocket',
  'EventSource',
  'WebAssembly',
  'Reflect',
  'Proxy',
  'console',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'BroadcastChannel',
  'localStorage',
  'sessionStorage',
  'navigator',
  'performance'
])

/**
 * May a result name this built-in? A result is data from a peer: what it names is found again here, with the rights of
 * the program. So it may name what the language itself has to calculate with, and no module of Node.
 */
export function isResultBuiltin([module, root = '', ...names]: BuiltinPath): boolean {
  return (
    module === '' &&
    // A global of the program itself is none of a peer's business.
    isGlobalName(root) &&
    !NOT_FROM_A_PEER.has(root) &&
    !names.includes('constructor') &&
    !names.includes('__proto__')
  )
}
