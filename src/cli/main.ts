/** The command `dist-node`: its process from start to end. */
import { cacheCompiledCode } from './compile-cache.ts'
import { EXIT } from './exit.ts'
import { guardMemory } from './guard-memory.ts'
import { preparedAnswer } from './prepared-answers.ts'
import { systemReason } from './system-reason.ts'

/** @param args what was typed after `dist-node` */
export async function main(args: readonly string[]): Promise<void> {
  process.stdout.on('error', endOutput)
  const answer = preparedAnswer(args)
  if (answer !== undefined) {
    process.stdout.write(answer)
    return
  }
  guardMemory()
  cacheCompiledCode()
  // Everything that is loaded later than here is something those answers do not wait for.
  const { execute } = await import('./program.ts')
  const exitCode = await execute(args)
  await Promise.all(
    [process.stdout, process.stderr].map((stream) => new Promise((done) => stream.write('', done)))
  )
  // All is closed; libp2p keeps a timer of one second for nothing (it would announce that its addresses are gone).
  process.exit(exitCode)
}

/** `dist-node run … | head` has seen enough: that is no failure. A full disk is one; what is finished is in the journal. */
function endOutput(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(EXIT.ok)
  console.error(`dist-node: stdout cannot be written: ${systemReason(error)}`)
  process.exit(EXIT.usage)
}
