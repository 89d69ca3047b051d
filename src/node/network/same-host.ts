import { type FSWatcher, watch } from 'node:fs'
import { chmod, lstat, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isAlive } from '../identity.ts'

/** A node of the same user on this host, as it announces itself. */
export interface SameHostNode {
  readonly id: string
  readonly addresses: readonly string[]
}

interface Announcement extends SameHostNode {
  readonly pid: number
  readonly meshHash: string
}

/**
 * The noticeboard of one user's nodes on one host: a file each in the runtime folder. It works with no network at
 * all, and between nodes that have state folders of their own.
 */
export class SameHostBoard {
  readonly #folder: string
  readonly #meshHash: string
  readonly #ownFile: string
  readonly #onFound: (node: SameHostNode) => void
  #watcher: FSWatcher | undefined

  private constructor(folder: string, meshHash: string, id: string, onFound: (node: SameHostNode) => void) {
    this.#folder = folder
    this.#meshHash = meshHash
    this.#ownFile = `${id}.json`
    this.#onFound = onFound
  }

  /** Puts up this node's note and reports every other one, those that are there and those that come. */
  static async open(
    self: SameHostNode & { meshHash: string },
    onFound: (node: SameHostNode) => void
  ): Promise<SameHostBoard> {
    const folder = await runtimeFolder()
    const board = new SameHostBoard(folder, self.meshHash, self.id, onFound)
    board.#watcher = watch(folder, (_event, file) => void (file !== null && board.#read(file)))
    board.#watcher.unref()
    await board.announce(self)
    for (const file of await readdir(folder)) await board.#read(file)
    return board
  }

  /** Replaces this node's note, for example when its addresses have changed. */
  async announce(self: SameHostNode): Promise<void> {
    const note: Announcement = { ...self, pid: process.pid, meshHash: this.#meshHash }
    const draft = join(this.#folder, `${this.#ownFile}.draft`)
    await writeFile(draft, `${JSON.stringify(note)}\n`, { mode: 0o600 })
    await rename(draft, join(this.#folder, this.#ownFile))
  }

  async close(): Promise<void> {
    this.#watcher?.close()
    await rm(join(this.#folder, this.#ownFile), { force: true })
  }

  async #read(file: string): Promise<void> {
    if (!file.endsWith('.json') || file === this.#ownFile) return
    const path = join(this.#folder, file)
    const note = await readFile(path, 'utf8').then(parseAnnouncement, () => undefined)
    if (note === undefined) return
    if (!isAlive(note.pid)) await rm(path, { force: true })
    else if (note.meshHash === this.#meshHash) this.#onFound({ id: note.id, addresses: note.addresses })
  }
}

/** `$XDG_RUNTIME_DIR/dist-node`, else a folder of the user's in the temporary folder that nobody else may touch. */
export async function runtimeFolder(): Promise<string> {
  const runtime = process.env['XDG_RUNTIME_DIR']
  const uid = process.getuid?.() ?? 0
  const folder = runtime ? join(runtime, 'dist-node') : join(tmpdir(), `dist-node-${uid}`)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const found = await lstat(folder)
  if (!found.isDirectory() || (process.getuid !== undefined && found.uid !== uid)) {
    throw new Error(
      `${folder} is not a folder of this user; remove it, or set XDG_RUNTIME_DIR to a private folder`
    )
  }
  if ((found.mode & 0o077) !== 0) await chmod(folder, 0o700)
  return folder
}

function parseAnnouncement(text: string): Announcement | undefined {
  try {
    const note = JSON.parse(text) as Announcement
    return typeof note.id === 'string' && Array.isArray(note.addresses) ? note : undefined
  } catch {
    return undefined
  }
}
