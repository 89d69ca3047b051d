/**
 * The files of a laboratory: one folder in the temporary folder, named after the process that owns it, with a folder
 * for each host. The hosts share this computer's files, so each gets its own home, state and runtime folder, and
 * nodes in different hosts can meet over the network alone.
 */
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'

const PREFIX = 'dist-node-lan-'

let laboratories = 0

/** Makes the folder of a new laboratory owned by this process. */
export function makeLabFolder(): string {
  const folder = join(tmpdir(), `${PREFIX}${process.pid}-${startOf(process.pid)}-${laboratories++}`)
  mkdirSync(folder, { mode: 0o700 })
  return folder
}

/** Folders of laboratories whose owner lives. */
export function livingLabFolders(): string[] {
  return labFolders().filter((folder) => isOwnerAlive(folder))
}

/**
 * Removes the folders of laboratories whose owner is dead. Their processes and networks ended with the owner.
 *
 * @returns the folders removed
 */
export function sweep(): string[] {
  const dead = labFolders().filter((folder) => !isOwnerAlive(folder))
  for (const folder of dead) rmSync(folder, { recursive: true, force: true })
  return dead
}

function labFolders(): string[] {
  return readdirSync(tmpdir())
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => join(tmpdir(), name))
}

function isOwnerAlive(folder: string): boolean {
  const [pid, start] = basename(folder).slice(PREFIX.length).split('-')
  return startOf(Number(pid)) === start
}

/** When a process started, in clock ticks since boot: with it a process number that is used again is told apart. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}

export interface HostFolders {
  readonly root: string
  readonly env: Readonly<Record<string, string>>
}

/** Makes the folders of one host, and the environment that keeps its processes in them. */
export function makeHostFolders(labFolder: string, name: string, passwordFile: string): HostFolders {
  const root = join(labFolder, name)
  const places = {
    HOME: 'home',
    XDG_CONFIG_HOME: 'home/.config',
    XDG_STATE_HOME: 'home/.local/state',
    XDG_DATA_HOME: 'home/.local/share',
    XDG_CACHE_HOME: 'home/.cache',
    XDG_RUNTIME_DIR: 'run',
    DIST_NODE_DIR: 'state',
    TMPDIR: 'tmp'
  }
  const env: Record<string, string> = { DIST_NODE_PASSWORD_FILE: passwordFile, HOSTNAME: name }
  for (const [variable, place] of Object.entries(places)) {
    env[variable] = join(root, place)
    mkdirSync(env[variable], { recursive: true, mode: 0o700 })
  }
  // `node` means the same Node in a host as here.
  env['PATH'] = `${dirname(process.execPath)}:${process.env['PATH'] ?? '/usr/bin:/bin'}`
  return { root, env }
}

/** Writes the laboratory's password where only its owner may read it. */
export function writePassword(labFolder: string, password: string): string {
  const file = join(labFolder, 'password')
  writeFileSync(file, `${password}\n`, { mode: 0o600 })
  chmodSync(file, 0o600)
  return file
}
