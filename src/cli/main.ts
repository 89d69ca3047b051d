/** The command `dist-node`: which words it knows, and how errors become messages and exit codes. */
import { Command, CommanderError } from 'commander'
import { MeshError, PrintError, SandboxError, UsageError, VERSION } from '../index.ts'
import { addCompletion } from './commands/completion.ts'
import { addDoctor } from './commands/doctor.ts'
import { addEval } from './commands/eval.ts'
import { addInit } from './commands/init.ts'
import { addJoin } from './commands/join.ts'
import { addPeers } from './commands/peers.ts'
import { addRotate } from './commands/rotate.ts'
import { addRun } from './commands/run.ts'
import { addStart } from './commands/start.ts'
import { EXIT, ExitError } from './exit.ts'
import { guardMemory } from './guard-memory.ts'
import { describeOption } from './help.ts'
import { visible } from './output.ts'

/** @param args what was typed after `dist-node` */
export async function main(args: readonly string[]): Promise<void> {
  guardMemory()
  // `dist-node run … | head` has seen enough: that is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.ok)
    throw error
  })
  const exitCode = await execute(args)
  await Promise.all(
    [process.stdout, process.stderr].map((stream) => new Promise((done) => stream.write('', done)))
  )
  // All is closed; libp2p keeps a timer of one second for nothing (it would announce that its addresses are gone).
  process.exit(exitCode)
}

async function execute(args: readonly string[]): Promise<number> {
  const program = new Command('dist-node')
    .description('A zero-config compute mesh for JavaScript and TypeScript.')
    .version(VERSION)
    .exitOverride()
    .configureHelp({ showGlobalOptions: false, optionDescription: describeOption })
    .showSuggestionAfterError()
    .showHelpAfterError('(dist-node --help lists commands, dist-node COMMAND --help the options of one)')
    .addHelpText('after', EXAMPLES)
  for (const add of [
    addInit,
    addJoin,
    addStart,
    addRun,
    addEval,
    addPeers,
    addDoctor,
    addRotate,
    addCompletion
  ])
    add(program)
  const state = { exitCode: EXIT.ok as number }
  program.hook('preAction', (_program, command) => {
    command.setOptionValue('exit', (code: number) => (state.exitCode = code))
  })
  try {
    refusePasswordOption(args)
    await program.parseAsync([...args], { from: 'user' })
    return state.exitCode
  } catch (error) {
    return explain(error)
  }
}

const EXAMPLES = `
Examples:
  $ dist-node init                      make a password; store it elsewhere with dist-node join
  $ dist-node start                     lend this machine's cores until Ctrl-C
  $ dist-node run jobs.ts               run the jobs of a file on every core of the mesh

Exit codes: 0 every job succeeded, 1 some job failed, 2 usage or an unusable file,
3 the mesh (wrong password, too few peers, all peers lost), 130 interrupted.`

/** Everybody on the machine can read the arguments of a process. */
function refusePasswordOption(args: readonly string[]): void {
  const typed = args.slice(0, args.includes('--') ? args.indexOf('--') : args.length)
  if (!typed.some((arg) => /^--password(=|$)/.test(arg))) return
  throw new UsageError(
    'there is no --password: arguments can be read by everybody on this machine. ' +
      'Use --password-file FILE, or store the password once with dist-node join'
  )
}

function explain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  if (error instanceof ExitError) {
    if (error.message !== '') console.error(`dist-node: ${visible(error.message)}`)
    return error.exitCode
  }
  if (error instanceof UsageError || error instanceof PrintError || error instanceof SandboxError) {
    console.error(`dist-node: ${visible(error.message)}`)
    return EXIT.usage
  }
  if (error instanceof MeshError) {
    console.error(`dist-node: ${visible(error.message)}`)
    return EXIT.mesh
  }
  console.error(error)
  return EXIT.usage
}
