/** Options out of configuration files, for those that were not typed. */
import { type Command, InvalidArgumentError, type Option } from 'commander'
import { type ConfigFile, findConfigFiles, unusable } from './config-file.ts'

/** What a file of a project may set: how its runs go. What this machine lends, and to whom, is its owner's affair. */
export const PROJECT_KEYS: ReadonlySet<string> = new Set([
  'cache', 'failFast', 'journal', 'local', 'mdns', 'mesh', 'minPeers', 'ordered', 'peer', 'pure', 'quiet', 'retries', 'timeout', 'wait'
]) // prettier-ignore

/** Options that make sense for one command line alone. */
const NEVER: ReadonlySet<string> = new Set([
  'detach', 'each', 'grace', 'help', 'json', 'out', 'resume', 'retryFailed', 'all', 'revoke', 'trace', 'version', 'watch'
]) // prettier-ignore

/**
 * Sets the options of a command that were not typed to what the files say: the project's before the user's, a
 * section named after the command before what stands outside of it.
 *
 * @returns the files that were read
 * @throws {ExitError} naming file and key when something in them is unknown or cannot be used
 */
export function configure(command: Command, folder: string): ConfigFile[] {
  // init, say, has none: it works whatever is in the files.
  if (command.options.length === 0) return []
  const files = findConfigFiles(folder)
  for (const file of files) {
    const program = command.parent ?? command
    refuseUnknown(file, program)
    for (const values of [file.content, section(file, command)]) apply(file, command, values)
  }
  return files
}

function apply(file: ConfigFile, command: Command, values: Readonly<Record<string, unknown>>): void {
  for (const option of command.options) {
    const key = option.attributeName()
    const value = values[key]
    if (value === undefined || command.getOptionValueSource(key) === 'cli') continue
    command.setOptionValueWithSource(key, parse(file, option, value), 'config')
  }
}

/** What the option makes of the value when it is typed, so that both are checked alike. */
function parse(file: ConfigFile, option: Option, value: unknown): unknown {
  const key = option.attributeName()
  const refuse = (expected: string): never => {
    throw unusable(file.path, `${key}: expected ${expected}, got ${JSON.stringify(value)}`)
  }
  if (option.isBoolean() || option.negate) return typeof value === 'boolean' ? value : refuse('true or false')
  const isList = Array.isArray(option.defaultValue)
  if (isList && !Array.isArray(value)) return refuse('a list of texts')
  if (!isList && typeof value !== 'string' && typeof value !== 'number')
    return refuse(`what ${option.flags} takes`)
  try {
    const items = isList ? (value as unknown[]) : [value]
    if (items.some((item) => typeof item !== 'string' && typeof item !== 'number'))
      return refuse('a list of texts')
    const start: unknown = isList ? [] : undefined
    return items.reduce((before: unknown, item) => parseOne(option, String(item), before), start)
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw unusable(file.path, `${key}: ${error.message}`)
    throw error
  }
}

function parseOne(option: Option, text: string, before: unknown): unknown {
  return option.parseArg === undefined ? text : option.parseArg(text, before)
}

function refuseUnknown(file: ConfigFile, program: Command): void {
  const all = keysOf(program.commands, file)
  const names = program.commands.map((command) => command.name())
  for (const [key, value] of Object.entries(file.content)) {
    if (key === '$schema') continue
    if (names.includes(key)) {
      if (typeof value !== 'object' || value === null || Array.isArray(value))
        throw unusable(file.path, `${key}: expected an object with options of dist-node ${key}`)
      const known = keysOf(
        program.commands.filter((command) => command.name() === key),
        file
      )
      for (const inner of Object.keys(value)) refuseKey(file, inner, known, `${key}.`)
    } else refuseKey(file, key, all, '')
  }
}

function refuseKey(file: ConfigFile, key: string, known: readonly string[], where: string): void {
  if (known.includes(key)) return
  if (key === 'password')
    throw unusable(
      file.path,
      `${where}password: a password does not belong in a configuration file; dist-node join stores it where only you can read it`
    )
  const why = NEVER.has(key)
    ? 'is for a single command line'
    : file.kind === 'project' && !PROJECT_KEYS.has(key)
      ? "does not exist, or is for the user's own file only"
      : 'does not exist'
  throw unusable(file.path, `${where}${key} ${why}; known are ${known.join(', ')}`)
}

/** Keys a file may have for any of these commands. */
function keysOf(commands: readonly Command[], { kind }: ConfigFile): string[] {
  const keys = commands.flatMap(({ options }) => options.map((option) => option.attributeName()))
  return [...new Set(keys)]
    .filter((key) => !NEVER.has(key) && (kind === 'user' || PROJECT_KEYS.has(key)))
    .toSorted()
}

function section(file: ConfigFile, command: Command): Readonly<Record<string, unknown>> {
  return (file.content[command.name()] ?? {}) as Record<string, unknown>
}
