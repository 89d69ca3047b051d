/** The command `dist-node`: its process from start to end. */
import { EXIT } from './exit.ts'
import { guardMemory } from './guard-memory.ts'
import { VERSION } from './version.ts'

/** @param args what was typed after `dist-node` */
export async function main(args: readonly string[]): Promise<void> {
  guardMemory()
  if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
    console.log(VERSION)
    return
  }
  // `dist-node run … | head` has seen enough: that is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.ok)
    throw error
  })
  // Everything that is loaded later than here is something `--version` does not wait for.
  const { execute } = await import('./program.ts')
  const exitCode = await execute(args)
  await Promise.all(
    [process.stdout, process.stderr].map((stream) => new Promise((done) => stream.write('', done)))
  )
  // All is closed; libp2p keeps a timer of one second for nothing (it would announce that its addresses are gone).
  process.exit(exitCode)
}
