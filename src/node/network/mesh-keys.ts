import { createHash, randomBytes } from 'node:crypto'
import { MeshKey } from '../../protocol/mesh-key.ts'
import { parseKeyring } from '../password/keyring.ts'

/** Nodes of one process and mesh share their keys, for as long as one of them lives. */
const shared = new Map<string, WeakRef<MeshKey>>()
const deriving = new Map<string, Promise<MeshKey>>()
/** What stands for a password in those maps can be compared with nothing outside of this process. */
const processKey = randomBytes(32)

/** The keys of a mesh that count at the moment: the newest, and older ones for as long as they are accepted. */
export class MeshKeys {
  readonly #keys: readonly MeshKey[]
  readonly #olderUntilMs: number

  private constructor(keys: readonly MeshKey[], olderUntilMs: number) {
    this.#keys = keys
    this.#olderUntilMs = olderUntilMs
  }

  /**
   * Derives them; takes about 80 ms for each password, in the thread pool, the first time in a process.
   *
   * @param password a password, or the text of a password file
   * @throws {UsageError} when it is neither
   */
  static async derive(password: string, mesh: string): Promise<MeshKeys> {
    const { entries, olderUntilMs } = parseKeyring(password)
    const keys = await Promise.all(entries.map(({ epoch, password }) => deriveOnce(password, mesh, epoch)))
    return new MeshKeys(keys, olderUntilMs ?? Infinity)
  }

  /** The newest first. @param nowMs in milliseconds since 1970 */
  accepted(nowMs: number = Date.now()): readonly MeshKey[] {
    return nowMs < this.#olderUntilMs ? this.#keys : this.#keys.slice(0, 1)
  }
}

async function deriveOnce(password: string, mesh: string, epoch: number): Promise<MeshKey> {
  const name = createHash('sha256')
    .update(processKey)
    .update(JSON.stringify([password, mesh, epoch]))
    .digest('hex')
  const known = shared.get(name)?.deref()
  if (known !== undefined) return known
  const running = deriving.get(name) ?? MeshKey.derive(password, mesh, epoch)
  deriving.set(name, running)
  try {
    const key = await running
    shared.set(name, new WeakRef(key))
    return key
  } finally {
    deriving.delete(name)
  }
}
