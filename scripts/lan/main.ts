/**
 * A LAN on one computer, for people:
 *
 *     node scripts/lan/main.ts up --hosts 3        make a network of three hosts, h1, h2 and h3
 *     node scripts/lan/main.ts start               a dist-node in each
 *     node scripts/lan/main.ts exec h1 dist-node peers
 *     node scripts/lan/main.ts cut h2              pull a cable, and plug it in again
 *     node scripts/lan/main.ts heal h2
 *     node scripts/lan/main.ts down                all is gone
 *
 * `node scripts/lan/main.ts help` lists the rest. `up` leaves a process behind that owns the network; when it ends,
 * by `down` or by a crash, so does everything in the network.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { basename } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { LAB_COMMANDS } from './commands.ts'
import { request, serve } from './control.ts'
import { livingLabFolders, sweep } from './folders.ts'
import { Lab } from './lab.ts'
import type { Command } from './machine.ts'
import { DIST_NODE } from './nodes.ts'
import { missingFeatures, missingRights } from './rights.ts'

const HELP = `usage: node scripts/lan/main.ts COMMAND

  up [--hosts N | --hosts NAME,NAME...]
                            make a network; N is 3 unless told
  exec HOST COMMAND...      run a command in a host (dist-node means the one of this working tree)
  down                      take everything down
  clean                     remove what laboratories left that were killed
  check                     what this computer can do
${Object.values(LAB_COMMANDS)
  .map(({ usage, about }) => `  ${usage.padEnd(25)} ${about}`)
  .join('\n')}

With more than one network up, --lab NAME before the command chooses; up prints the name.`

/** Runs in the process that `up` leaves behind: owns the laboratory until it is told `down`. */
async function own(hosts: string): Promise<void> {
  const names = /^\d+$/.test(hosts) ? Number(hosts) : hosts.split(',')
  const lab = await Lab.create({ hosts: names })
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  process.on('SIGTERM', () => end())
  const server = await serve(lab.folder, async ([verb = '', ...args]) => {
    if (verb === 'down') return end()
    if (verb === 'enter') return JSON.stringify(enter(lab, args))
    const command = LAB_COMMANDS[verb]
    if (command === undefined) throw new Error(`no command ${verb}; see help`)
    if (args.length < (command.min ?? 0)) throw new Error(`usage: ${command.usage}`)
    return await command.run(lab, args)
  })
  process.stderr.on('error', () => {}) // `up` no longer listens
  console.log(JSON.stringify({ folder: lab.folder }))
  await ended
  await lab[Symbol.asyncDispose]()
  server.close()
}

function enter(
  lab: Lab,
  [name = '', command = 'sh', ...args]: readonly string[]
): Command & { env: NodeJS.ProcessEnv } {
  const host = lab.host(name)
  return { ...host.enter(command, args, process.cwd()), env: host.env }
}

async function up(hosts: string): Promise<void> {
  const args = [new URL(import.meta.url).pathname, 'own', '--hosts', hosts]
  const owner = spawn(process.execPath, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  owner.stderr.pipe(process.stderr)
  const ready = once(createInterface({ input: owner.stdout }), 'line')
  const [line] = (await Promise.race([ready, once(owner, 'exit').then(() => [])])) as [string?]
  if (line === undefined) throw new Error('the network did not come up')
  owner.unref()
  // Nothing of the caller's may stay open in the owner, or who waits for the end of our output waits for ever.
  owner.stdout.destroy()
  owner.stderr.destroy()
  const { folder } = JSON.parse(line) as { folder: string }
  console.log(`network ${basename(folder)}, files in ${folder}\n${await request(folder, ['list'])}`)
}

async function exec(folder: string, [host, command, ...args]: readonly string[]): Promise<number> {
  if (host === undefined || command === undefined) throw new Error('usage: exec HOST COMMAND...')
  const words = command === 'dist-node' ? ['node', DIST_NODE, ...args] : [command, ...args]
  const answer = await request(folder, ['enter', host, ...words])
  const entered = JSON.parse(answer) as Command & { env: NodeJS.ProcessEnv }
  // The terminal's Ctrl-C reaches the command by itself; this process has to outlive it.
  process.on('SIGINT', () => {})
  const child = spawn(entered.file, entered.args, { stdio: 'inherit', env: entered.env })
  const [code] = (await once(child, 'exit')) as [number | null]
  return code ?? 1
}

function theLab(name: string | undefined): string {
  const living = livingLabFolders().filter((folder) => name === undefined || basename(folder) === name)
  if (living.length === 0) throw new Error('no network is up; see help for up')
  if (living.length > 1)
    throw new Error(`which network? --lab ${living.map((folder) => basename(folder)).join(' or ')}`)
  return living[0]!
}

function check(): void {
  const { rate, delay } = missingFeatures()
  const missing = [missingRights(), rate, delay].filter((sentence) => sentence !== undefined)
  console.log(missing.join('\n') || 'everything works here')
  if (missingRights() !== undefined) process.exitCode = 1
}

async function main(argv: string[]): Promise<void> {
  const lab = argv[0] === '--lab' ? argv[1] : undefined
  const [verb = 'help', ...rest] = lab === undefined ? argv : argv.slice(2)
  const hosts = (): string =>
    parseArgs({ args: rest, options: { hosts: { type: 'string', default: '3' } } }).values.hosts
  if (verb === 'help' || verb === '--help') console.log(HELP)
  else if (verb === 'up') await up(hosts())
  else if (verb === 'own') await own(hosts())
  else if (verb === 'check') check()
  else if (verb === 'clean') console.log(sweep().join('\n') || 'nothing to remove')
  else if (verb === 'exec') process.exitCode = await exec(theLab(lab), rest)
  else {
    const text = await request(theLab(lab), [verb, ...rest])
    if (text !== '') console.log(text)
  }
}

await main(process.argv.slice(2)).catch((error: Error) => {
  console.error(error.message)
  process.exitCode = 1
})
