/** The words `dist-node` knows, and how errors become messages and exit codes. */
import { inspect } from 'node:util'
import { Command, CommanderError } from 'commander'
import { addAttach } from './commands/attach.ts'
import { addCancel } from './commands/cancel.ts'
import { addCache } from './commands/cache.ts'
import { addCompletion } from './commands/completion.ts'
import { addDoctor } from './commands/doctor.ts'
import { addEval } from './commands/eval.ts'
import { addInit } from './commands/init.ts'
import { addJoin } from './commands/join.ts'
import { addPeers } from './commands/peers.ts'
import { addRotate } from './commands/rotate.ts'
import { addResults } from './commands/results.ts'
import { addRun } from './commands/run.ts'
import { addRuns } from './commands/runs.ts'
import { addStart } from './commands/start.ts'
import { configure } from './configure.ts'
import { EXIT, ExitError } from './exit.ts'
import { describeOption } from './help.ts'
import { HELP_COLUMNS, type PreparedAnswers } from './prepared-answers.ts'
import { Interrupted } from './interrupt.ts'
import { isLogged, log, logsJson, setUpLog } from './log.ts'
import { visible } from './output.ts'
import { VERSION } from './version.ts'
import { separateResume } from './separate-resume.ts'

/** The table of commands. */
export function makeProgram(): Command {
  const program = new Command('dist-node')
    .description('A zero-config compute mesh for JavaScript and TypeScript.')
    .version(VERSION)
    .exitOverride()
    .configureHelp({ showGlobalOptions: false, optionDescription: describeOption })
    .configureOutput({
      getOutHelpWidth: () => Math.min(HELP_COLUMNS, process.stdout.columns ?? HELP_COLUMNS),
      outputError: (text, write) => write(ownWords(text))
    })
    .showSuggestionAfterError()
    .showHelpAfterError('(dist-node --help lists the commands)')
    .addHelpText('after', EXAMPLES)
  for (const [heading, adders] of COMMANDS) {
    program.commandsGroup(heading)
    for (const add of adders) add(program)
  }
  for (const command of program.commands)
    command.showHelpAfterError(`(dist-node ${command.name()} --help shows its arguments and options)`)
  return program.helpCommand('help [command]', 'the help of a command')
}

/** For the build. */
export function prepareAnswers(): PreparedAnswers {
  const program = makeProgram()
  const help = Object.fromEntries(
    [program, ...program.commands].map((command) => [
      command === program ? '' : command.name(),
      helpOf(command)
    ])
  )
  return { version: `${VERSION}\n`, help }
}

function helpOf(command: Command): string {
  let text = ''
  command.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => HELP_COLUMNS })
  command.outputHelp()
  return text
}

/**
 * Runs what was typed.
 *
 * @param args what was typed after `dist-node`
 * @returns the exit code
 */
export async function execute(args: readonly string[]): Promise<number> {
  const program = makeProgram()
  const state = { exitCode: EXIT.ok as number }
  program.hook('preAction', (_program, command) => {
    command.setOptionValue('exit', (code: number) => (state.exitCode = code))
    readConfiguration(command)
    setUpLog(command.opts())
  })
  try {
    refusePasswordOption(args)
    await program.parseAsync(separateResume(args), { from: 'user' })
    return state.exitCode
  } catch (error) {
    return await explain(error)
  }
}

/** What commander says of mistakes, in the words of our own messages. */
function ownWords(text: string): string {
  return text
    .replace(/^error: /, 'dist-node: ')
    .replace(
      /command-argument value '(.*)' is invalid for argument '.*'\. Allowed choices are (.*)\./,
      "expected $2, got '$1'"
    )
    .replace(
      /option '(\S+).*' argument '(.*)' is invalid\. Allowed choices are (.*)\./,
      "$1: expected $3, got '$2'"
    )
    .replace(/option '(\S+).*' argument '.*' is invalid\. Expected (.*)\./, '$1: expected $2')
}

/** In the order of their use by somebody new. */
const COMMANDS = [
  ['Make a mesh:', [addInit, addJoin, addStart]],
  ['Run jobs on it:', [addRun, addEval]],
  ['Runs that were left alone:', [addAttach, addCancel, addRuns, addResults, addCache]],
  ['Look after it:', [addPeers, addDoctor, addRotate, addCompletion]]
] as const

/** A file that cannot be used ends every command but `doctor`, which explains it. */
function readConfiguration(command: Command): void {
  try {
    command.setOptionValue('configFiles', configure(command, process.cwd()))
  } catch (error) {
    if (!(error instanceof ExitError) || command.name() !== 'doctor') throw error
    command.setOptionValue('configProblem', error.message)
  }
}

const EXAMPLES = `
Examples:
  $ dist-node init                      make a password; store it elsewhere with dist-node join
  $ dist-node start                     lend this machine's cores until Ctrl-C
  $ dist-node run jobs.ts               run the jobs of a file on every core of the mesh

Options that are the same each time: docs/configuration.md (~/.config/dist-node/config.json).
Exit codes: 0 every job succeeded, 1 some job failed, 2 usage or an unusable file,
3 the mesh (wrong password, too few peers, all peers lost), 130 interrupted.`

/** Everybody on the machine can read the arguments of a process. */
function refusePasswordOption(args: readonly string[]): void {
  const typed = args.slice(0, args.includes('--') ? args.indexOf('--') : args.length)
  if (!typed.some((arg) => /^--password(=|$)/.test(arg))) return
  throw new ExitError(
    EXIT.usage,
    'there is no --password: arguments can be read by everybody on this machine. ' +
      'Use --password-file FILE, or store the password once with dist-node join'
  )
}

/** The library is loaded only now: help and mistyped commands need none of it. */
async function explain(error: unknown): Promise<number> {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  if (error instanceof Interrupted) {
    complain(error.message)
    return EXIT.interrupted
  }
  if (error instanceof ExitError) {
    if (error.message !== '') complain(visible(error.message))
    return error.exitCode
  }
  const { JournalError, MeshError, PrintError, SandboxError, UsageError } = await import('../index.ts')
  const ours = [JournalError, UsageError, PrintError, SandboxError, MeshError].some(
    (kind) => error instanceof kind
  )
  complain(await describeError(error, ours))
  return error instanceof MeshError ? EXIT.mesh : EXIT.usage
}

function complain(text: string): void {
  if (logsJson()) log.error(text)
  else console.error(`dist-node: ${text}`)
}

/** Errors of ours are said in a sentence, those of the user's files with the place; of others the stack is for debugging. */
async function describeError(error: unknown, ours: boolean): Promise<string> {
  if (!(error instanceof Error)) return `something that is not an error was thrown: ${visible(String(error))}`
  if (isLogged('debug')) return inspect(error)
  const { errorText, isUserError } = await import('./error-text.ts')
  if (!ours) {
    if (isUserError(error)) return errorText(error)
    return visible(`${error.message} (--log-level debug shows where)`)
  }
  const { cause } = error
  const place = cause instanceof Error && isUserError(cause) ? `\n${errorText(cause, { head: false })}` : ''
  return `${visible(error.message)}${place}${nextStep(error)}`
}

/** Where the message alone leaves one at a loss. */
function nextStep(error: Error): string {
  const { code } = error as { code?: unknown }
  const isAlone = code === 'MESH_TOO_FEW_PEERS' || code === 'MESH_ALL_PEERS_LOST'
  return isAlone
    ? '\nIs dist-node start running elsewhere, with the same password? dist-node doctor looks for the reason.'
    : ''
}
