import { UsageError } from '../errors.ts'
import { correctPassword } from './password-format.ts'

/** One password of a mesh. */
export interface KeyringEntry {
  /** Counts the passwords the mesh has had; both sides of a connection use the same one. */
  readonly epoch: number
  readonly password: string
}

/** What a password file holds: the password, or while it is being changed the new one and those still accepted. */
export interface Keyring {
  /** The newest first. */
  readonly entries: readonly KeyringEntry[]
  /** Until when all but the newest are accepted, in milliseconds since 1970. Absent: as long as they are listed. */
  readonly olderUntilMs?: number
}

const ENTRY = /^(\d{1,10}):(.+)$/
const OLDER_UNTIL = /^# older passwords are accepted until (\S+)$/
const MAX_EPOCH = 0xffff_ffff
const MAX_ENTRIES = 8

/**
 * Reads the text of a password file: one password, or lines `epoch:password`.
 *
 * @throws {UsageError} when the text is neither; the message never repeats any of it
 */
export function parseKeyring(text: string): Keyring {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  const [only] = lines
  if (only === undefined) throw new UsageError('the password is empty')
  if (lines.length === 1 && !ENTRY.test(only)) return { entries: [{ epoch: 0, password: corrected(only) }] }

  const until = lines.map((line) => OLDER_UNTIL.exec(line)?.[1]).find((time) => time !== undefined)
  const entries = lines.filter((line) => !line.startsWith('#')).map(parseEntry)
  const epochs = new Set(entries.map(({ epoch }) => epoch))
  if (entries.length === 0 || entries.length > MAX_ENTRIES || epochs.size < entries.length) {
    throw new UsageError(
      `expected 1 to ${MAX_ENTRIES} lines epoch:password of different epochs, got ${entries.length}`
    )
  }
  const olderUntilMs = until === undefined ? undefined : Date.parse(until)
  if (Number.isNaN(olderUntilMs))
    throw new UsageError('the line with the time until which older passwords count has no time')
  return {
    entries: entries.toSorted((a, b) => b.epoch - a.epoch),
    ...(olderUntilMs === undefined ? {} : { olderUntilMs })
  }
}

/** The text that {@link parseKeyring} reads. */
export function formatKeyring({ entries, olderUntilMs }: Keyring): string {
  const [newest] = entries
  if (newest !== undefined && entries.length === 1 && newest.epoch === 0) return `${newest.password}\n`
  const lines = entries.map(({ epoch, password }) => `${epoch}:${password}`)
  if (entries.length > 1 && olderUntilMs !== undefined) {
    lines.push(`# older passwords are accepted until ${new Date(olderUntilMs).toISOString()}`)
  }
  return `${lines.join('\n')}\n`
}

/** The keyring with a newer password; the older ones stay for a while, or go at once when `graceMs` is 0. */
export function withNewPassword(
  keyring: Keyring,
  newest: KeyringEntry,
  graceMs: number,
  nowMs: number
): Keyring {
  if (graceMs <= 0) return { entries: [newest] }
  const older = keyring.entries.filter(({ epoch }) => epoch < newest.epoch)
  return { entries: [newest, ...older].slice(0, MAX_ENTRIES), olderUntilMs: nowMs + graceMs }
}

function parseEntry(line: string, index: number): KeyringEntry {
  const [, epoch = '', password = ''] = ENTRY.exec(line) ?? []
  if (epoch === '' || Number(epoch) > MAX_EPOCH) {
    throw new UsageError(`line ${index + 1}: expected epoch:password with an epoch from 0 to ${MAX_EPOCH}`)
  }
  return { epoch: Number(epoch), password: corrected(password) }
}

function corrected(password: string): string {
  const correct = correctPassword(password)
  if (correct !== undefined) return correct
  throw new UsageError('the password has a typing error: its last two characters do not fit the others')
}
