import { MeshKey } from '../protocol/mesh-key.ts'
import { parseKeyring } from './keyring.ts'

/** The keys of a mesh that count at the moment: the newest, and older ones for as long as they are accepted. */
export class MeshKeys {
  readonly #keys: readonly MeshKey[]
  readonly #olderUntilMs: number

  private constructor(keys: readonly MeshKey[], olderUntilMs: number) {
    this.#keys = keys
    this.#olderUntilMs = olderUntilMs
  }

  /**
   * Derives them; takes about 80 ms for each password, in the thread pool.
   *
   * @param password a password, or the text of a password file
   * @throws {UsageError} when it is neither
   */
  static async derive(password: string, mesh: string): Promise<MeshKeys> {
    const { entries, olderUntilMs } = parseKeyring(password)
    const keys = await Promise.all(
      entries.map(({ epoch, password }) => MeshKey.derive(password, mesh, epoch))
    )
    return new MeshKeys(keys, olderUntilMs ?? Infinity)
  }

  /** The newest first. @param nowMs in milliseconds since 1970 */
  accepted(nowMs: number = Date.now()): readonly MeshKey[] {
    return nowMs < this.#olderUntilMs ? this.#keys : this.#keys.slice(0, 1)
  }
}
