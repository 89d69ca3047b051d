import type { Command } from 'commander'
import { addExamples } from '../help.ts'
import { askPassword } from '../ask-password.ts'

const EXAMPLES = {
  join: 'asks, without showing what is typed',
  'join < password.txt': 'from a file or a pipe'
}

export function addJoin(program: Command): void {
  const command = program
    .command('join')
    .description(
      'store a password made on another machine, or the line that rotate printed there (asked for without echo, or read from stdin)'
    )
    .option('--weak-password', 'accept a password that can be guessed')
    .action(async (options: { weakPassword?: boolean }) => {
      const { storePassword, UsageError } = await import('../../index.ts')
      const password = await askPassword()
      if (password === '') throw new UsageError('no password was given')
      const path = await storePassword(password, { allowWeak: options.weakPassword === true })
      console.error(`Stored in ${path}, readable by you alone. Next: dist-node start`)
    })
  addExamples(command, EXAMPLES)
}
