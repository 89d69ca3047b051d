import { refuse } from '../errors.ts'

/** Traces that tools leave in the text of functions they rewrite, and what to do about each. */
const REWRITERS: ReadonlyArray<readonly [trace: RegExp, tool: string, hint: string]> = [
  [
    /\b__vite_ssr_(?:import|dynamic_import|export|exportAll)/,
    'Vite’s module runner (vitest)',
    'set `experimental: { viteModuleRunner: false }` in the `test` section of vitest.config'
  ],
  [
    /\bcov_[a-z0-9]{8,}\(\)/,
    'Istanbul’s coverage',
    'measure coverage with V8 instead, as `c8` and `node --test` do'
  ],
  [
    /\b_?_webpack_(?:require|exports)__|\b__WEBPACK_/,
    'webpack',
    'keep the file with the function out of the bundle'
  ],
  [/\b__turbopack_/, 'Turbopack', 'keep the file with the function out of the bundle'],
  [/\bstryMutAct_|\bstryCov_/, 'Stryker', 'exclude the file with the function from mutation']
]

/** Refuses a function whose text a tool changed so that it means nothing elsewhere, and names the tool. */
export function explainRewritten(text: string): void {
  for (const [trace, tool, hint] of REWRITERS) {
    if (trace.test(text)) refuse('rewritten function', `its text was rewritten by ${tool}`, hint)
  }
}
