import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** Who a node is to other peers: a libp2p key pair that stays the same over restarts. */
export interface Identity {
  readonly peerId: string
  /** Ed25519 private key, protobuf as libp2p keeps it. */
  readonly privateKey: Uint8Array
  /** Lets the next process use the identity. */
  release(): Promise<void>
}

/** More processes than this on one state folder are a mistake. */
const MAX_IDENTITIES = 256

/** The folder for what a node remembers: `dir`, else `DIST_NODE_DIR`, else the user's XDG state folder. */
export function stateFolder(dir: string | undefined): string {
  if (dir !== undefined) return dir
  if (process.env['DIST_NODE_DIR']) return process.env['DIST_NODE_DIR']
  return join(process.env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'dist-node')
}

/**
 * The first identity of the folder that no living process uses, made if need be. Two nodes started in two shells
 * share a state folder; each must still be a peer of its own.
 */
export async function claimIdentity(folder: string): Promise<Identity> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  for (let n = 0; n < MAX_IDENTITIES; n++) {
    const lock = join(folder, `identity-${n}.lock`)
    if (!(await takeLock(lock))) continue
    const key = await readOrMake(join(folder, `identity-${n}.json`))
    return { ...key, release: () => rm(lock, { force: true }) }
  }
  throw new Error(
    `${folder}: all ${MAX_IDENTITIES} identities are in use; give this node a folder of its own (--dir)`
  )
}

/** The lock names its process, so that one left by a crash does not count. */
async function takeLock(path: string): Promise<boolean> {
  for (;;) {
    try {
      const file = await open(path, 'wx', 0o600)
      await file.writeFile(String(process.pid))
      await file.close()
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const owner = Number(await readFile(path, 'utf8').catch(() => ''))
    // An empty lock is being written at this moment: somebody else's.
    if (owner === 0 || isAlive(owner)) return false
    // Renaming is atomic: of several processes that find the same dead lock, one removes it.
    const grave = `${path}.${process.pid}`
    await rename(path, grave).catch(() => undefined)
    await rm(grave, { force: true })
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function readOrMake(path: string): Promise<{ peerId: string; privateKey: Uint8Array }> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text !== undefined) {
    const { peerId, privateKey } = JSON.parse(text) as { peerId: string; privateKey: string }
    return { peerId, privateKey: Buffer.from(privateKey, 'base64') }
  }
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
