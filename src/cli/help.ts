/** What `--help` says beyond what commander knows by itself. */
import type { Command, Option } from 'commander'

const isDuration = ({ flags }: Option): boolean => flags.includes('<duration>')

const EXAMPLES = new WeakMap<Command, Readonly<Record<string, string>>>()

/** What {@link addExamples} was given: for docs/command-line.md. */
export function examplesOf(command: Command): Readonly<Record<string, string>> {
  return EXAMPLES.get(command) ?? {}
}

/**
 * The section "Examples" at the end of a command's help.
 *
 * @param examples what is typed after `dist-node`, and what it is for
 */
export function addExamples(command: Command, examples: Readonly<Record<string, string>>): Command {
  EXAMPLES.set(command, examples)
  const width = Math.max(...Object.keys(examples).map((typed) => typed.length))
  const lines = Object.entries(examples).map(
    ([typed, purpose]) => `  $ dist-node ${typed.padEnd(width)}   ${purpose}`
  )
  const durations = command.options.some(isDuration) ? '\nDurations are written 500ms, 30s, 5m, 2h.\n' : ''
  return command.addHelpText('after', `${durations}\nExamples:\n${lines.join('\n')}`)
}

/** An option in words, with its choices and its default as one would type them. */
export function describeOption(option: Option): string {
  const { argChoices, defaultValue, description, negate } = option
  const notes = []
  if (argChoices !== undefined) notes.push(argChoices.join(', '))
  const hasDefault = typeof defaultValue === 'number' || typeof defaultValue === 'string'
  if (hasDefault && !negate) {
    const typed = isDuration(option) ? durationText(Number(defaultValue)) : String(defaultValue)
    notes.push(`default: ${typed}`)
  }
  return notes.length === 0 ? description : `${description} (${notes.join('; ')})`
}

/** The shortest way to type a duration: `10s`, `1500ms`, `24h`. */
function durationText(ms: number): string {
  const units = [
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1_000]
  ] as const
  const [unit, length] = units.find(([, length]) => ms > 0 && ms % length === 0) ?? ['ms', 1]
  return `${ms / length}${unit}`
}
