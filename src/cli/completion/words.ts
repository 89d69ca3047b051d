/** What can be typed where, out of the table of commands. */
import type { Command, Option } from 'commander'

export interface CommandWords {
  readonly name: string
  readonly description: string
  readonly options: readonly OptionWords[]
  /** What its first argument may be; `files`: the name of one. */
  readonly argument: readonly string[] | 'files' | undefined
}

export interface OptionWords {
  /** With dashes: `--sandbox`. */
  readonly long: string
  readonly description: string
  /** What comes after it; `undefined`: nothing does. */
  readonly value: readonly string[] | 'files' | 'anything' | undefined
}

export function commandWords(commands: readonly Command[]): CommandWords[] {
  return commands.map((command) => {
    const [argument] = command.registeredArguments
    const isFile = argument !== undefined && argument.name() === 'file'
    return {
      name: command.name(),
      description: command.description(),
      argument: argument?.argChoices ?? (isFile ? 'files' : undefined),
      options: [
        ...command.options.flatMap(optionWords),
        { long: '--help', description: 'its help', value: undefined }
      ]
    }
  })
}

function optionWords(option: Option): OptionWords[] {
  const { long, flags, description, argChoices } = option
  if (long == null) return []
  const isFile = /<(file|folder)>/.test(flags)
  const value = argChoices ?? (isFile ? 'files' : option.required ? 'anything' : undefined)
  return [{ long, description, value }]
}
