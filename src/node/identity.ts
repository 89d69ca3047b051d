import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { UsageError } from './errors.ts'

/** Who a node is to other peers: a libp2p key pair that stays the same over restarts. */
export interface Identity {
  readonly peerId: string
  /** Which of its folder it is, from 1: higher ones are used while the lower ones are taken. */
  readonly number: number
  /** Ed25519 private key, protobuf as libp2p keeps it. */
  readonly privateKey: Uint8Array
  /** Lets the next process use the identity. */
  release(): Promise<void>
}

/** More processes than this on one state folder are a mistake. */
const MAX_IDENTITIES = 256

/** A lock has its number within this time after it was made. */
const WRITTEN_WITHIN_MS = 10_000

/** The folder for what a node remembers: `dir`, else `DIST_NODE_DIR`, else the user's XDG state folder. */
export function stateFolder(dir: string | undefined): string {
  if (dir !== undefined) return dir
  if (process.env['DIST_NODE_DIR']) return process.env['DIST_NODE_DIR']
  return join(process.env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'dist-node')
}

/**
 * The first identity of the folder that no living process uses, made if need be. Two nodes started in two shells
 * share a state folder; each must still be a peer of its own.
 *
 * @throws {UsageError} when the folder cannot be written
 */
export async function claimIdentity(folder: string): Promise<Identity> {
  try {
    return await claimFirstFree(folder)
  } catch (error) {
    if (error instanceof UsageError || !('code' in (error as Error))) throw error
    const message = `dir: expected a folder that can be written, but ${folder} cannot: ${(error as Error).message}`
    throw new UsageError(message, { cause: error })
  }
}

async function claimFirstFree(folder: string): Promise<Identity> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  for (let n = 0; n < MAX_IDENTITIES; n++) {
    const lock = join(folder, `identity-${n}.lock`)
    if (!(await takeLock(lock))) continue
    const key = await readOrMake(join(folder, `identity-${n}.json`)).catch(async (error: unknown) => {
      await rm(lock, { force: true })
      throw error
    })
    return { ...key, number: n + 1, release: () => rm(lock, { force: true }) }
  }
  throw new UsageError(
    `dir: all ${MAX_IDENTITIES} identities of ${folder} are in use; give this node a folder of its own`
  )
}

/** The lock names its process, so that one left by a crash does not count. */
async function takeLock(path: string): Promise<boolean> {
  for (;;) {
    if (await makeLock(path)) return true
    if (await isHeld(path)) return false
    // Renaming is atomic: of several processes that find the same dead lock, one removes it.
    const grave = `${path}.${process.pid}`
    await rename(path, grave).catch(() => undefined)
    await rm(grave, { force: true })
  }
}

/** @returns false when there is one */
async function makeLock(path: string): Promise<boolean> {
  const file = await open(path, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  if (file === undefined) return false
  try {
    await file.writeFile(String(process.pid))
    return true
  } catch (error) {
    // The disk is full.
    await rm(path, { force: true })
    throw error
  } finally {
    await file.close()
  }
}

async function isHeld(path: string): Promise<boolean> {
  const owner = Number(await readFile(path, 'utf8').catch(() => ''))
  if (owner > 0 && owner !== process.pid) return isAlive(owner)
  const madeMs = (await stat(path).catch(() => undefined))?.mtimeMs
  if (madeMs === undefined) return false
  // In a container every start has the same number: an older lock is of the start before.
  if (owner > 0) return madeMs >= Date.now() - process.uptime() * 1_000
  // Being written at this moment, or left so by a power cut.
  return Math.abs(Date.now() - madeMs) < WRITTEN_WITHIN_MS
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** @returns undefined for what a power cut has left of a file: a new identity is worth as much */
function parseKey(text: string): { peerId: string; privateKey: Uint8Array } | undefined {
  try {
    const { peerId, privateKey } = JSON.parse(text) as { peerId: string; privateKey: string }
    return { peerId, privateKey: Buffer.from(privateKey, 'base64') }
  } catch {
    return undefined
  }
}

async function readOrMake(path: string): Promise<{ peerId: string; privateKey: Uint8Array }> {
  const known = parseKey(await readFile(path, 'utf8').catch(() => ''))
  if (known !== undefined) return known
  const { generateKeyPair, peerIdFromPrivateKey, privateKeyToProtobuf } = await import('./network/libp2p.ts')
  const pair = await generateKeyPair('Ed25519')
  const privateKey = privateKeyToProtobuf(pair)
  const peerId = peerIdFromPrivateKey(pair).toString()
  const draft = `${path}.${process.pid}`
  await writeFile(
    draft,
    `${JSON.stringify({ peerId, privateKey: Buffer.from(privateKey).toString('base64') })}\n`,
    {
      mode: 0o600
    }
  )
  await rename(draft, path)
  return { peerId, privateKey }
}
