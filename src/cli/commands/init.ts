import type { Command } from 'commander'
import { addExamples } from '../help.ts'

const EXAMPLES = {
  init: 'the first machine of a mesh',
  'init | ssh attic dist-node join': 'and store it on another one at once'
}

export function addInit(program: Command): void {
  const command = program
    .command('init')
    .description('make a strong password for a new mesh, store it for this user and print it once')
    .action(async () => {
      const { makePassword, storePassword } = await import('../../index.ts')
      const password = makePassword()
      const path = await storePassword(password)
      console.log(password)
      console.error(`Stored in ${path}, readable by you alone.`)
      console.error('On the other machines: dist-node join, and type it there. Then: dist-node start')
    })
  addExamples(command, EXAMPLES)
}
