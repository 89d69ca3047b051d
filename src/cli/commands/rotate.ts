import type { Command } from 'commander'
import { addExamples } from '../help.ts'
import { duration } from '../mesh-options.ts'
import { formatDuration } from '../output.ts'

interface RotateOptions {
  grace: number
  revoke?: boolean
}

/** The library's own default, which a test compares with this one: help must not load the library. */
export const DEFAULT_GRACE_MS = 24 * 60 * 60_000

const EXAMPLES = {
  rotate: 'the old password counts for another day',
  'rotate --grace 2h': 'for two hours',
  'rotate --revoke': 'no more: somebody must stay out'
}

export function addRotate(program: Command): void {
  const command = program
    .command('rotate')
    .description(
      'make a new password for the mesh, and print it once for dist-node join on the other machines'
    )
    .option('--grace <duration>', 'how long the old password is still accepted', duration, DEFAULT_GRACE_MS)
    .option(
      '--revoke',
      'accept the old password no more, from now on: for when somebody who knows it must stay out'
    )
    .action(rotate)
  addExamples(command, EXAMPLES)
}

async function rotate(options: RotateOptions): Promise<void> {
  const { rotatePassword } = await import('../../index.ts')
  const graceMs = options.revoke === true ? 0 : options.grace
  const { path, line } = await rotatePassword(graceMs)
  console.log(line)
  console.error(`Stored in ${path}, readable by you alone; nodes that run with it change over by themselves.`)
  console.error('On the other machines: dist-node join, and type the whole line there.')
  console.error(
    graceMs > 0
      ? `The old password is accepted for another ${formatDuration(graceMs)}.`
      : 'The old password is not accepted here any more. Machines that have not joined again are out.'
  )
}
