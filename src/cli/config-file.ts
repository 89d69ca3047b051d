/** Configuration files: where they are, and what may be in them before it is looked at option by option. */
import { readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { EXIT, ExitError } from './exit.ts'

export interface ConfigFile {
  readonly path: string
  /** `user`: any option. `project`: only what is about runs, for somebody else may have written it. */
  readonly kind: 'user' | 'project'
  readonly content: Readonly<Record<string, unknown>>
}

const PROJECT_FILE = 'dist-node.config.json'

/** The user's own file: `DIST_NODE_CONFIG`, else `config.json` in the XDG configuration folder. */
export function userConfigFile(): string {
  if (process.env['DIST_NODE_CONFIG']) return process.env['DIST_NODE_CONFIG']
  return join(process.env['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'dist-node', 'config.json')
}

/**
 * The files that count here, the one that goes first at the end.
 *
 * @throws {ExitError} when one of them cannot be used
 */
export function findConfigFiles(folder: string): ConfigFile[] {
  const named = process.env['DIST_NODE_CONFIG'] !== undefined && process.env['DIST_NODE_CONFIG'] !== ''
  const user = read(userConfigFile(), 'user')
  if (user === undefined && named)
    throw unusable(userConfigFile(), 'no such file, and DIST_NODE_CONFIG names it')
  const project = findProjectFile(folder)
  return [user, project].filter((file) => file !== undefined)
}

/** The nearest one, in this folder or above; above not what other users of the machine put there, into `/tmp` say. */
function findProjectFile(folder: string, isAbove = false): ConfigFile | undefined {
  const path = join(folder, PROJECT_FILE)
  const file = isAbove && !isOwn(path) ? undefined : read(path, 'project')
  const above = dirname(folder)
  return file ?? (above === folder ? undefined : findProjectFile(above, true))
}

function isOwn(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false })
  const own = process.getuid?.()
  return found !== undefined && found.isFile() && (own === undefined || found.uid === own || found.uid === 0)
}

function read(path: string, kind: ConfigFile['kind']): ConfigFile | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw unusable(path, `cannot be read (${code})`)
  }
  if (kind === 'user') refuseForeign(path)
  try {
    const content = JSON.parse(text) as unknown
    if (typeof content === 'object' && content !== null && !Array.isArray(content))
      return { path, kind, content: content as Record<string, unknown> }
  } catch (error) {
    throw unusable(path, `not JSON: ${(error as Error).message}`)
  }
  throw unusable(path, 'expected a JSON object such as {"slots": 2}')
}

/** It may say what jobs are let at, so nobody else may have written it. */
function refuseForeign(path: string): void {
  const own = process.getuid?.()
  if (own === undefined) return
  const { uid, mode } = statSync(path)
  if (uid !== own && uid !== 0) throw unusable(path, 'it belongs to somebody else')
  if ((mode & 0o022) !== 0) throw unusable(path, `others can write it; run: chmod go-w ${path}`)
}

export function unusable(path: string, why: string): ExitError {
  return new ExitError(EXIT.usage, `configuration ${path}: ${why}`)
}
