import { constants } from 'node:fs'
import { chmod, mkdir, open, rename, rm } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { UsageError } from '../errors.ts'

const MAX_FILE_BYTES = 4096

export interface ReadOptions {
  /** A missing file is no error. */
  readonly optional?: boolean
  /** The file may belong to root: the service manager put it there for us. */
  readonly allowRoot?: boolean
}

/**
 * The text of a file that holds a secret. Everything is checked on the file that was opened, so that it cannot be
 * exchanged in between, and symbolic links are not followed.
 *
 * @throws {UsageError} when somebody else could have written it or can read it; the message says what to do
 */
export async function readSecretFile(path: string, options: ReadOptions = {}): Promise<string | undefined> {
  let file
  try {
    // Not blocking: a FIFO without a writer would hold us up before we could see that it is one.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (options.optional === true && code === 'ENOENT') return undefined
    const why = code === 'ELOOP' ? 'it is a symbolic link; name the file itself' : code
    throw new UsageError(`password file ${path} cannot be read: ${why}`, { cause: error })
  }
  try {
    const found = await file.stat()
    if (!found.isFile()) throw new UsageError(`password file ${path} is not a regular file`)
    const own = process.getuid?.()
    if (own !== undefined && found.uid !== own && !(options.allowRoot === true && found.uid === 0)) {
      throw new UsageError(`password file ${path} belongs to somebody else; refusing to use it`)
    }
    if ((found.mode & 0o077) !== 0) {
      throw new UsageError(`password file ${path} can be read by others; run: chmod 600 ${path}`)
    }
    if (found.size > MAX_FILE_BYTES) {
      throw new UsageError(`password file ${path} has ${found.size} bytes: not a password`)
    }
    return await file.readFile('utf8')
  } finally {
    await file.close()
  }
}

/**
 * Writes a secret for this user alone: the file 0600, its folder 0700 if it is new or our own, complete or not at all.
 *
 * @param replace whether there may be such a file already
 * @throws {UsageError} when there is one and `replace` is not set
 */
export async function writeSecretFile(path: string, text: string, replace: boolean): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 }).catch((cause: Error) => {
    throw new UsageError(`the folder ${dirname(path)} cannot be made (${cause.message})`, { cause })
  })
  // Our own folder may be older and open; any other is not ours to close: /tmp, a home.
  if (basename(dirname(path)) === 'dist-node') await chmod(dirname(path), 0o700)
  const target = replace ? `${path}.${process.pid}` : path
  try {
    const file = await open(target, 'wx', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    if (replace) await rename(target, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      await rm(target, { force: true })
      throw error
    }
    throw new UsageError(`${target} exists already; remove it first if you want another password`)
  }
}
