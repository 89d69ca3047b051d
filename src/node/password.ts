import { constants } from 'node:fs'
import { chmod, mkdir, open } from 'node:fs/promises'
import { randomInt } from 'node:crypto'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { UsageError } from './errors.ts'

/** Crockford's base 32: no I, L, O, U to misread. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** Shorter passwords fall to patient guessing; see SECURITY.md. */
const MIN_PASSWORD_LENGTH = 12

const MAX_PASSWORD_BYTES = 4096

/** Where `init` and `join` keep the password of this user. */
export function passwordFile(): string {
  return join(process.env['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'dist-node', 'password')
}

/** A strong password: 125 random bits as `dn1-XXXXX-XXXXX-XXXXX-XXXXX-XXXXX`. */
export function makePassword(): string {
  const group = (): string => Array.from({ length: 5 }, () => ALPHABET[randomInt(32)]).join('')
  return ['dn1', ...Array.from({ length: 5 }, group)].join('-')
}

/**
 * Stores a password for this user, readable by nobody else.
 *
 * @throws {UsageError} when there is one already
 */
export async function storePassword(password: string, path: string = passwordFile()): Promise<string> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await chmod(dirname(path), 0o700)
  try {
    const file = await open(path, 'wx', 0o600)
    await file.writeFile(`${password}\n`)
    await file.close()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new UsageError(`${path} exists already; remove it first if you want another password`)
  }
  return path
}

/**
 * The password from the first of its sources that has one: `file`, `DIST_NODE_PASSWORD_FILE`, the file `init` made,
 * `DIST_NODE_PASSWORD`.
 *
 * @throws {UsageError} when the source is not safe or the password is weak and `allowWeak` not set
 */
export async function findPassword(
  options: { file?: string; allowWeak?: boolean } = {}
): Promise<string | undefined> {
  const named = options.file ?? process.env['DIST_NODE_PASSWORD_FILE']
  const password = named ? await readPassword(named) : await readPassword(passwordFile(), { optional: true })
  const found = password ?? process.env['DIST_NODE_PASSWORD']?.trim()
  if (found === undefined || found === '') return undefined
  if (found.length < MIN_PASSWORD_LENGTH && options.allowWeak !== true) {
    throw new UsageError(
      `the password has ${found.length} characters, expected at least ${MIN_PASSWORD_LENGTH}; ` +
        'make a strong one with `dist-node init`, or say --weak-password if you know what you do'
    )
  }
  return found
}

async function readPassword(path: string, { optional = false } = {}): Promise<string | undefined> {
  let file
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (optional && code === 'ENOENT') return undefined
    throw new UsageError(`password file ${path} cannot be read: ${code}`, { cause: error })
  }
  try {
    const { mode, uid, size } = await file.stat()
    if (process.getuid !== undefined && uid !== process.getuid()) {
      throw new UsageError(`password file ${path} belongs to somebody else; refusing to use it`)
    }
    if ((mode & 0o077) !== 0)
      throw new UsageError(`password file ${path} can be read by others; run: chmod 600 ${path}`)
    if (size > MAX_PASSWORD_BYTES)
      throw new UsageError(`password file ${path} has ${size} bytes: not a password`)
    const password = (await file.readFile('utf8')).trim()
    if (password === '') throw new UsageError(`password file ${path} is empty`)
    return password
  } finally {
    await file.close()
  }
}
