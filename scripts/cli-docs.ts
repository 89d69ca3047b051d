/**
 * Writes docs/command-line.md out of the table of commands: `npm run cli-docs`. A test fails when the two differ.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command, Option } from 'commander'
import { describeOption, examplesOf } from '../src/cli/help.ts'
import { makeProgram } from '../src/cli/program.ts'

const HEAD = `# The command line

Every command and option, as \`dist-node COMMAND --help\` has them. Options that are the same each time may stand in a
[configuration file](configuration.md); [JSON output](json-output.md) and [error codes](errors.md) have pages of their own.

| exit code | |
| --- | --- |
| 0 | Every job succeeded. |
| 1 | Some job failed. |
| 2 | Usage, or a file that cannot be read, parsed or printed. |
| 3 | The mesh: wrong password, too few peers, all peers lost. |
| 130 | Interrupted. |

<!-- Made by scripts/cli-docs.ts out of src/cli/commands: change those, then \`npm run cli-docs\`. -->`

/** The whole document. */
export function cliDocument(): string {
  const { commands } = makeProgram()
  const common = commonGroups(commands)
  const sections = commands.map((command) => section(command, common))
  const shared = [...common].map(([group, options]) => `### ${title(group)}\n\n${table(options)}`)
  return `${[HEAD, ...sections, '## Options of several commands', ...shared].join('\n\n')}\n`
}

/** Options that come in groups, which many commands have alike. */
function commonGroups(commands: readonly Command[]): Map<string, Option[]> {
  const groups = new Map<string, Option[]>()
  for (const { options } of commands)
    for (const option of options) {
      if (option.helpGroupHeading === undefined) continue
      const group = groups.get(option.helpGroupHeading) ?? []
      groups.set(option.helpGroupHeading, group)
      if (!group.some(({ flags }) => flags === option.flags)) group.push(option)
    }
  return groups
}

function section(command: Command, common: ReadonlyMap<string, readonly Option[]>): string {
  const own = command.options.filter(({ helpGroupHeading }) => helpGroupHeading === undefined)
  const groups = [...common.keys()].filter((group) =>
    command.options.some(({ helpGroupHeading }) => helpGroupHeading === group)
  )
  const argumentRows = command.registeredArguments.map(
    (argument) => `| \`${argument.name()}\` | ${cell(argument.description)} |`
  )
  const also = groups.map((group) => `[${title(group)}](#${title(group).toLowerCase().replaceAll(' ', '-')})`)
  const examples = Object.entries(examplesOf(command))
  const width = Math.max(0, ...examples.map(([typed]) => typed.length))
  const lines = examples.map(([typed, purpose]) => `$ dist-node ${typed.padEnd(width)}   # ${purpose}`)
  return [
    `## ${command.name()}`,
    `\`dist-node ${command.name()} ${command.usage()}\``,
    sentence(command.description()),
    ...(argumentRows.length === 0 ? [] : [['| argument | |', '| --- | --- |', ...argumentRows].join('\n')]),
    ...(own.length === 0 ? [] : [table(own)]),
    ...(also.length === 0 ? [] : [`Also: ${also.join(', ')}.`]),
    `\`\`\`console\n${lines.join('\n')}\n\`\`\``
  ].join('\n\n')
}

function table(options: readonly Option[]): string {
  const rows = options.map(
    (option) => `| \`${cell(option.flags)}\` | ${sentence(cell(describeOption(option)))} |`
  )
  return ['| option | |', '| --- | --- |', ...rows].join('\n')
}

function title(group: string): string {
  return group.replace(/:$/, '')
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`
}

if (import.meta.main) writeFileSync(join(import.meta.dirname, '../docs/command-line.md'), cliDocument())
