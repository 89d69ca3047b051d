import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface KnownPeer {
  readonly id: string
  readonly addresses: readonly string[]
}

/** Peers kept from one start to the next: enough for any LAN. */
const MAX_KNOWN = 1024

/** The peers this node has talked to, remembered in its state folder, mesh by mesh. */
export class KnownPeers {
  readonly #path: string
  readonly #peers = new Map<string, KnownPeer>()
  #changed = false

  constructor(folder: string, mesh: string) {
    this.#path = join(folder, `peers-${encodeURIComponent(mesh)}.json`)
  }

  /** A file that is missing or damaged is an empty one: it only saves time. */
  async load(): Promise<KnownPeer[]> {
    try {
      const peers = JSON.parse(await readFile(this.#path, 'utf8')) as KnownPeer[]
      return peers.filter(({ id, addresses }) => typeof id === 'string' && Array.isArray(addresses))
    } catch {
      return []
    }
  }

  /** Loopback addresses are worth nothing tomorrow: ports change. */
  remember({ id, addresses }: KnownPeer): void {
    const lasting = addresses.filter((address) => !/^\/ip4\/127\.|^\/ip6\/::1\//.test(address))
    if (lasting.length === 0) return
    this.#peers.delete(id)
    this.#peers.set(id, { id, addresses: lasting })
    this.#changed = true
  }

  async save(): Promise<void> {
    if (!this.#changed) return
    const before = await this.load()
    const merged = new Map([...before.map((peer) => [peer.id, peer] as const), ...this.#peers])
    const draft = `${this.#path}.${process.pid}`
    await writeFile(draft, `${JSON.stringify([...merged.values()].slice(-MAX_KNOWN))}\n`, { mode: 0o600 })
    await rename(draft, this.#path)
  }
}
