import { homedir } from 'node:os'
import { join } from 'node:path'
import { UsageError } from '../errors.ts'
import { formatKeyring, parseKeyring, withNewPassword } from './keyring.ts'
import type { Keyring } from './keyring.ts'
import { readSecretFile, writeSecretFile } from './password-file.ts'
import type { ReadOptions } from './password-file.ts'
import { makePassword } from './password-format.ts'
import { weakness } from './weak-password.ts'

/** Where to look for the password. */
export interface PasswordOptions {
  /** A password file to use instead of every other source. */
  readonly file?: string
  /** Accept a password that is easy to guess. @default false */
  readonly allowWeak?: boolean
}

/** A password and where it came from. */
export interface FoundPassword {
  /** The text of a password file: see {@link NodeOptions.password}. */
  readonly password: string
  /** The file that held it; a change of the file is a change of the password. */
  readonly file?: string
  /** What its user should know about the source. */
  readonly warning?: string
}

interface Source extends ReadOptions {
  readonly path: string
}

/**
 * Where `init` and `join` keep the password of this user.
 *
 * @example console.log(`the password is in ${passwordFile()}`)
 */
export function passwordFile(): string {
  return join(process.env['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'dist-node', 'password')
}

/**
 * Stores a password for this user, readable by nobody else.
 *
 * @param password a password, or a line `epoch:password` as `rotate` prints it: then one of an older epoch that is
 * stored already stays accepted for `graceMs`
 * @returns the path of the file
 * @throws {UsageError} when there is another password already, or this one has a typing error or is weak
 * @example const path = await storePassword(makePassword())
 */
export async function storePassword(
  password: string,
  options: { path?: string; allowWeak?: boolean; graceMs?: number } = {}
): Promise<string> {
  const path = options.path ?? passwordFile()
  const { entries } = parseKeyring(password)
  const [newest] = entries
  if (newest === undefined) throw new UsageError('no password was given')
  refuseWeak(newest.password, options.allowWeak)
  const stored = newest.epoch > 0 ? await readSecretFile(path, { optional: true }) : undefined
  if (stored === undefined) {
    await writeSecretFile(path, formatKeyring({ entries }), false)
    return path
  }
  const keyring = parseKeyring(stored)
  const current = keyring.entries[0]?.epoch ?? 0
  if (current >= newest.epoch) {
    throw new UsageError(
      `${path} has the password of epoch ${current} already, this one is of epoch ${newest.epoch}`
    )
  }
  const changed = withNewPassword(keyring, newest, options.graceMs ?? DEFAULT_GRACE_MS, Date.now())
  await writeSecretFile(path, formatKeyring(changed), true)
  return path
}

/** How long the password before is accepted after a rotation, in milliseconds: a day, to get round to all machines. */
export const DEFAULT_GRACE_MS: number = 24 * 60 * 60_000

/**
 * Makes a new password for the mesh and stores it beside the old one, which stays accepted for a while.
 *
 * @param graceMs how long, in milliseconds; 0 for not at all, when somebody who knew the old one must be kept out. @default a day
 * @returns the line to give to `join` on the other machines
 * @throws {UsageError} when there is no password to replace
 * @example
 * const { line } = await rotatePassword(60 * 60_000) // one hour
 * await node.changePassword((await findPassword())!)
 */
export async function rotatePassword(
  graceMs: number = DEFAULT_GRACE_MS,
  path: string = passwordFile()
): Promise<{ path: string; line: string }> {
  const stored = await readSecretFile(path, { optional: true })
  if (stored === undefined)
    throw new UsageError(`there is no password in ${path} to replace; make one with dist-node init`)
  const keyring = parseKeyring(stored)
  const newest = { epoch: (keyring.entries[0]?.epoch ?? 0) + 1, password: makePassword() }
  await writeSecretFile(path, formatKeyring(withNewPassword(keyring, newest, graceMs, Date.now())), true)
  return { path, line: `${newest.epoch}:${newest.password}` }
}

/**
 * The password from the first of its sources that has one: `file`, `DIST_NODE_PASSWORD_FILE`, the credential
 * `dist-node` of a systemd unit, the file `init` made, `DIST_NODE_PASSWORD`.
 *
 * @returns what {@link NodeOptions.password} takes
 * @throws {UsageError} when the source is not safe, or the password is weak and `allowWeak` not set
 * @example
 * const password = await findPassword()
 * await using node = await createDistNode({ ...(password && { password }) })
 */
export async function findPassword(options: PasswordOptions = {}): Promise<string | undefined> {
  return (await locatePassword(options))?.password
}

/**
 * {@link findPassword}, with the place where the password was.
 *
 * @throws {UsageError} as findPassword does
 * @example console.log((await locatePassword())?.file ?? 'from a variable, or none at all')
 */
export async function locatePassword(options: PasswordOptions = {}): Promise<FoundPassword | undefined> {
  for (const source of passwordSources(options.file)) {
    const text = await readSecretFile(source.path, source)
    if (text === undefined) continue
    return { password: accept(text, options.allowWeak, source.path), file: source.path }
  }
  const text = process.env['DIST_NODE_PASSWORD'] ?? ''
  if (text.trim() === '') return undefined
  const warning =
    'DIST_NODE_PASSWORD stays readable in the environment of this process; a password file is safer (dist-node join)'
  return { password: accept(text, options.allowWeak, 'DIST_NODE_PASSWORD'), warning }
}

function passwordSources(file: string | undefined): Source[] {
  const named = file ?? process.env['DIST_NODE_PASSWORD_FILE']
  if (named !== undefined && named !== '') return [{ path: named }]
  const credentials = process.env['CREDENTIALS_DIRECTORY']
  const stored = { path: passwordFile(), optional: true }
  if (credentials === undefined || credentials === '') return [stored]
  return [{ path: join(credentials, 'dist-node'), optional: true, allowRoot: true }, stored]
}

function accept(text: string, allowWeak: boolean | undefined, where: string): string {
  let keyring: Keyring
  try {
    keyring = parseKeyring(text)
  } catch (error) {
    throw new UsageError(`${where}: ${(error as Error).message}`, { cause: error })
  }
  for (const { password } of keyring.entries) refuseWeak(password, allowWeak)
  return formatKeyring(keyring).trimEnd()
}

function refuseWeak(password: string, allowWeak: boolean | undefined): void {
  const reason = allowWeak === true ? undefined : weakness(password)
  if (reason === undefined) return
  throw new UsageError(
    `the password is easy to guess: ${reason}; ` +
      'make a strong one with `dist-node init`, or say --weak-password if you know what you do'
  )
}
