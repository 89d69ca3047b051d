/** What a shell reads to complete what is typed after `dist-node`. */
import type { Command } from 'commander'
import { type CommandWords, commandWords, type OptionWords } from './words.ts'

export type Shell = 'bash' | 'zsh' | 'fish'

export function completionScript(shell: Shell, commands: readonly Command[]): string {
  const words = commandWords(commands)
  if (shell === 'bash') return bashScript(words)
  return shell === 'zsh' ? zshScript(words) : fishScript(words)
}

/** Where this offers nothing, bash offers files (`-o default`). */
function bashScript(commands: readonly CommandWords[]): string {
  const values = uniqueOptions(commands).flatMap(({ long, value }) =>
    Array.isArray(value) ? [`    ${long}) words='${value.join(' ')}' ;;`] : []
  )
  const anything = uniqueOptions(commands).flatMap(({ long, value }) =>
    value === 'files' || value === 'anything' ? [long] : []
  )
  const options = commands.map(
    ({ name, options }) => `    ${name},-*) words='${options.map(({ long }) => long).join(' ')}' ;;`
  )
  const first = commands.flatMap(({ name, argument }) =>
    Array.isArray(argument) ? [`    ${name},*) words='${argument.join(' ')}' ;;`] : []
  )
  return [
    '_dist_node() {',
    '  local current="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" words=',
    '  COMPREPLY=()',
    '  if [ "$COMP_CWORD" = 1 ]; then',
    `    words='${commands.map(({ name }) => name).join(' ')} --help --version'`,
    '  else case "$before" in',
    ...values,
    `    ${anything.join('|')}) return ;;`,
    '    *) case "${COMP_WORDS[1]},$current" in',
    ...options,
    ...first,
    '    esac ;;',
    '  esac; fi',
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '}',
    'complete -o default -F _dist_node dist-node'
  ].join('\n')
}

function zshScript(commands: readonly CommandWords[]): string {
  const plain = (text: string): string => text.replaceAll("'", "'\\''")
  const bracketed = (text: string): string => plain(text.replaceAll(/[[\]:\\]/g, '\\$&'))
  const action = (value: OptionWords['value']): string => {
    if (value === undefined) return ''
    if (value === 'files') return ':file:_files'
    return value === 'anything' ? ': :' : `:value:(${value.join(' ')})`
  }
  const argument = ({ argument }: CommandWords): string =>
    Array.isArray(argument)
      ? `'1:value:(${argument.join(' ')})'`
      : argument === 'files'
        ? "'*:file:_files'"
        : ''
  const cases = commands.map((command) => {
    const specs = command.options.map(
      ({ long, description, value }) => `'*${long}[${bracketed(description)}]${action(value)}'`
    )
    return `    ${command.name}) _arguments ${[...specs, argument(command)].filter(Boolean).join(' ')} ;;`
  })
  return [
    '_dist_node() {',
    '  local -a commands',
    `  commands=(${commands.map(({ name, description }) => `'${name}:${plain(description.replaceAll(':', '\\:'))}'`).join(' ')})`,
    '  if (( CURRENT == 2 )); then _describe command commands; return; fi',
    '  shift words; (( CURRENT-- ))',
    '  case "$words[1]" in',
    ...cases,
    '  esac',
    '}',
    'compdef _dist_node dist-node'
  ].join('\n')
}

function fishScript(commands: readonly CommandWords[]): string {
  const quote = (text: string): string => `'${text.replaceAll(/['\\]/g, '\\$&')}'`
  const value = (of: OptionWords['value']): string => {
    if (of === undefined) return ''
    if (of === 'files') return '-r -F '
    return of === 'anything' ? '-x ' : `-x -a ${quote(of.join(' '))} `
  }
  return commands
    .flatMap(({ name, description, options, argument }) => {
      const here = `complete -c dist-node -n '__fish_seen_subcommand_from ${name}'`
      return [
        `complete -c dist-node -n __fish_use_subcommand -f -a ${name} -d ${quote(description)}`,
        ...(argument === 'files' ? [] : [`${here} -f`]),
        ...(Array.isArray(argument) ? [`${here} -a ${quote(argument.join(' '))}`] : []),
        ...options.map(
          ({ long, description, value: of }) =>
            `${here} -l ${long.slice(2)} ${value(of)}-d ${quote(description)}`
        )
      ]
    })
    .join('\n')
}

/** Options of one name take the same wherever they are. */
function uniqueOptions(commands: readonly CommandWords[]): OptionWords[] {
  return [
    ...new Map(commands.flatMap(({ options }) => options).map((option) => [option.long, option])).values()
  ]
}
