import { Argument, type Command } from 'commander'
import { completionScript, type Shell } from '../completion/script.ts'
import { addExamples } from '../help.ts'

const EXAMPLES = {
  'completion bash >> ~/.bashrc': 'for bash',
  'completion zsh >> ~/.zshrc': 'for zsh, after compinit',
  'completion fish > ~/.config/fish/completions/dist-node.fish': 'for fish'
}

/** To be added last: it knows the commands that are there by then. */
export function addCompletion(program: Command): void {
  const command = program
    .command('completion')
    .description('print what makes a shell complete commands and options')
    .addArgument(new Argument('<shell>', 'which shell').choices(['bash', 'zsh', 'fish']))
    .action((shell: Shell) => console.log(completionScript(shell, program.commands)))
  addExamples(command, EXAMPLES)
}
