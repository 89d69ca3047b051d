/** `--version` and `--help`, written down by the build: they come about as fast as Node itself starts. */

/** Of help: that of terminals everywhere. On wider ones it is as wide. */
export const HELP_COLUMNS = 80

export interface PreparedAnswers {
  readonly version: string
  /** By command; '' for that of all. */
  readonly help: Readonly<Record<string, string>>
}

/** Beside the built program; `undefined` for what was not foreseen, and where nothing has been built. */
export function preparedAnswer(args: readonly string[]): string | undefined {
  const last = args.at(-1)
  if (args.length === 1 && (last === '--version' || last === '-V')) return readAnswers()?.version
  if (args.length > 2 || (last !== '--help' && last !== '-h')) return undefined
  if (process.stdout.isTTY && process.stdout.columns < HELP_COLUMNS) return undefined
  const help = readAnswers()?.help ?? {}
  const command = args.length === 1 ? '' : args[0]!
  return Object.hasOwn(help, command) ? help[command] : undefined
}

function readAnswers(): PreparedAnswers | undefined {
  // As a value: an import of the module would load all that it can give, streams among it, which takes longer than the rest.
  const { readFileSync } = process.getBuiltinModule('node:fs')
  try {
    return JSON.parse(readFileSync(new URL('answers.json', import.meta.url), 'utf8')) as PreparedAnswers
  } catch {
    return undefined
  }
}
