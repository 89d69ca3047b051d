import { Argument, type Command } from 'commander'
import { addExamples } from '../help.ts'

const EXAMPLES = {
  'completion bash >> ~/.bashrc': 'for bash',
  'completion zsh >> ~/.zshrc': 'for zsh, after compinit',
  'completion fish > ~/.config/fish/completions/dist-node.fish': 'for fish'
}

type Shell = 'bash' | 'zsh' | 'fish'

/** To be added last: it knows the commands that are there by then. */
export function addCompletion(program: Command): void {
  const command = program
    .command('completion')
    .description('print what makes a shell complete commands and options')
    .addArgument(new Argument('<shell>', 'which shell').choices(['bash', 'zsh', 'fish']))
    .action((shell: Shell) => console.log(SCRIPTS[shell](program.commands)))
  addExamples(command, EXAMPLES)
}

const SCRIPTS: Record<Shell, (commands: readonly Command[]) => string> = {
  bash: bashScript,
  zsh: (commands) => `autoload -U bashcompinit && bashcompinit\n${bashScript(commands)}`,
  fish: fishScript
}

/** Where no word fits, file names do. */
function bashScript(commands: readonly Command[]): string {
  const cases = commands.map(
    (command) => `    *,${command.name()}) words='${longOptions(command).join(' ')}' ;;`
  )
  const names = commands.map((command) => command.name()).join(' ')
  return [
    '_dist_node() {',
    '  local words',
    `  case "$COMP_CWORD,\${COMP_WORDS[1]}" in`,
    `    1,*) words='${names}' ;;`,
    ...cases,
    '  esac',
    `  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))`,
    '}',
    'complete -o default -F _dist_node dist-node'
  ].join('\n')
}

function fishScript(commands: readonly Command[]): string {
  const quote = (text: string): string => `'${text.replaceAll(/['\\]/g, '\\$&')}'`
  return commands
    .flatMap((command) => [
      `complete -c dist-node -n __fish_use_subcommand -f -a ${command.name()} -d ${quote(command.description())}`,
      ...command.options.map(
        ({ long, description, required }) =>
          `complete -c dist-node -n '__fish_seen_subcommand_from ${command.name()}' -l ${long?.slice(2)} ${required ? '-r ' : ''}-d ${quote(description)}`
      )
    ])
    .join('\n')
}

function longOptions(command: Command): string[] {
  return command.options.flatMap(({ long }) => long ?? [])
}
