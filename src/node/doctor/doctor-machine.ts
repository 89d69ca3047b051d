/** What `dist-node doctor` finds on this machine alone: Node.js, the sandbox, folders, the password. */
import { randomUUID } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SandboxError } from '../../worker/errors.ts'
import { SANDBOX_LEVELS, type SandboxLevel } from '../../worker/level.ts'
import { probeSandbox } from '../../worker/sandbox.ts'
import type { Finding } from './finding.ts'
import { UsageError } from '../errors.ts'
import { stateFolder } from '../identity.ts'
import { locatePassword, type PasswordOptions } from '../password/password.ts'
import { runtimeFolder } from '../network/same-host.ts'

const OLDEST_NODE = 24

/** Node 24 cannot keep jobs off the network by its permission model. */
const FIRST_NODE_THAT_GUARDS_NETWORK = 25

export function findNode(version: string, path: string): Finding {
  const major = Number(version.split('.')[0])
  const check = 'Node.js'
  if (major < OLDEST_NODE) {
    return {
      check,
      status: 'problem',
      message: `${version} (${path}) is too old; dist-node needs ${OLDEST_NODE} or newer`,
      advice: 'install a newer Node.js from https://nodejs.org'
    }
  }
  const open =
    major < FIRST_NODE_THAT_GUARDS_NETWORK ? '; its permission model does not cover the network' : ''
  return { check, status: 'ok', message: `${version} (${path})${open}` }
}

/** Tries every level with a job that computes something. */
export async function* findSandboxes(allowNet: boolean): AsyncGenerator<Finding, void> {
  let used: SandboxLevel | undefined
  const failures: string[] = []
  for (const level of SANDBOX_LEVELS) {
    const outcome = await tryLevel(level, allowNet)
    if (outcome.works) {
      used ??= level
      yield describeWorking(level, used, outcome.notes)
    } else {
      failures.push(level)
      yield describeFailing(level, used, outcome.reason)
    }
  }
  if (used === undefined) {
    yield {
      check: 'sandbox',
      status: 'problem',
      message: `none of ${failures.join(', ')} works, so this machine can lend nothing; it can still submit jobs`,
      advice: 'put right what is said of one of the levels above; bwrap is the strongest'
    }
  }
}

type LevelOutcome = { works: true; notes: readonly string[] } | { works: false; reason: string }

async function tryLevel(level: SandboxLevel, allowNet: boolean): Promise<LevelOutcome> {
  try {
    const { notes } = await probeSandbox({ sandbox: level, min: 'permission', allowNet })
    return { works: true, notes }
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error
    const reason = error.reasons[0]?.replace(`${level}: `, '') ?? error.message
    return { works: false, reason: oneLine(reason) }
  }
}

function describeWorking(level: SandboxLevel, used: SandboxLevel, notes: readonly string[]): Finding {
  const check = `sandbox ${level}`
  if (level !== used) return { check, status: 'ok', message: `works too; ${used} is stronger` }
  if (level !== 'permission')
    return { check, status: 'ok', message: ['works: jobs run in it', ...notes].join('; ') }
  return {
    check,
    status: 'warning',
    message: `works and is the only one that does; ${notes.map((note) => note.replace(/^level permission: /, '')).join('; ')}`,
    advice:
      process.platform === 'linux'
        ? 'install bubblewrap, or allow user namespaces; see what is said of bwrap and unshare'
        : 'stronger sandboxes need Linux; lend this machine to people you trust'
  }
}

function describeFailing(level: SandboxLevel, used: SandboxLevel | undefined, reason: string): Finding {
  const needed = used === undefined ? '' : `; ${used} works and is stronger`
  return { check: `sandbox ${level}`, status: 'ok', message: `does not work here: ${reason}${needed}` }
}

/** What a node writes: its identity and known peers, and its note for other nodes of this user on this host. */
export async function findFolders(dir: string | undefined): Promise<Finding[]> {
  return [
    await findFolder(
      'state folder',
      () => Promise.resolve(stateFolder(dir)),
      'name another with --dir or DIST_NODE_DIR'
    ),
    await findFolder('runtime folder', runtimeFolder, 'set XDG_RUNTIME_DIR to a folder of your own')
  ]
}

async function findFolder(check: string, locate: () => Promise<string>, advice: string): Promise<Finding> {
  let folder = ''
  try {
    folder = await locate()
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const file = join(folder, `doctor-${randomUUID()}`)
    await writeFile(file, '', { mode: 0o600 })
    await rm(file)
    return { check, status: 'ok', message: `${folder} can be written` }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const why = code === undefined ? message : `${folder || 'it'} cannot be written: ${code}`
    return { check, status: 'problem', message: why, advice }
  }
}

/** Whether there is a password, safe and strong. */
export async function findPasswordState(
  options: PasswordOptions
): Promise<{ finding: Finding; password?: string }> {
  const check = 'password'
  try {
    const found = await locatePassword(options)
    if (found === undefined) {
      const advice = 'make one with dist-node init, or store that of your mesh with dist-node join'
      const message = 'there is none, so this machine works alone'
      return { finding: { check, status: 'warning', message, advice } }
    }
    const { file, password, warning } = found
    if (file === undefined) {
      const advice = 'store it with dist-node join and unset DIST_NODE_PASSWORD'
      const message = warning ?? 'from the environment'
      return { finding: { check, status: 'warning', message, advice }, password }
    }
    const strength = options.allowWeak === true ? 'not looked at for strength' : 'not known to be weak'
    return {
      finding: { check, status: 'ok', message: `${file}: yours alone to read, ${strength}` },
      password
    }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    const [message = '', ...advice] = error.message.split('; ')
    return {
      finding: {
        check,
        status: 'problem',
        message,
        ...(advice.length === 0 ? {} : { advice: advice.join('; ') })
      }
    }
  }
}

function oneLine(text: string): string {
  return text.trim().replaceAll(/\s*\n\s*/g, '; ')
}
