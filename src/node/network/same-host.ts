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
  /** Boards of nodes in this process, by their files: these tell each other, for each to read all would be N² reads. */
  static readonly #here = new Map<string, SameHostBoard>()
  readonly #folder: string
  readonly #meshHash: string
  readonly #self: SameHostNode
  readonly #onFound: (node: SameHostNode) => void
  #watcher: FSWatcher | undefined

  private constructor(
    folder: string,
    self: SameHostNode & { meshHash: string },
    onFound: (node: SameHostNode) => void
  ) {
    this.#folder = folder
    this.#meshHash = self.meshHash
    this.#self = { id: self.id, addresses: self.addresses }
    this.#onFound = onFound
  }

  /** Puts up this node's note and reports every other one, those that are there and those that come. */
  static async open(
    self: SameHostNode & { meshHash: string },
    onFound: (node: SameHostNode) => void
  ): Promise<SameHostBoard> {
    const folder = await runtimeFolder()
    const board = new SameHostBoard(folder, self, onFound)
    board.#watcher = watch(folder, (_event, file) => void (file !== null && board.#read(file)))
    board.#watcher.unref()
    board.#meetThoseHere()
    try {
      await board.#announce()
      for (const file of await readdir(folder)) await board.#read(file)
      return board
    } catch (error) {
      await board.close()
      throw error
    }
  }

  async close(): Promise<void> {
    this.#watcher?.close()
    SameHostBoard.#here.delete(this.#ownPath)
    await rm(this.#ownPath, { force: true })
  }

  get #ownPath(): string {
    return join(this.#folder, `${this.#self.id}.json`)
  }

  #meetThoseHere(): void {
    for (const other of SameHostBoard.#here.values()) {
      if (other.#folder !== this.#folder || other.#meshHash !== this.#meshHash) continue
      this.#onFound(other.#self)
      other.#onFound(this.#self)
    }
    SameHostBoard.#here.set(this.#ownPath, this)
  }

  async #announce(): Promise<void> {
    const note: Announcement = { ...this.#self, pid: process.pid, meshHash: this.#meshHash }
    const draft = `${this.#ownPath}.draft`
    await writeFile(draft, `${JSON.stringify(note)}\n`, { mode: 0o600 })
    await rename(draft, this.#ownPath)
  }

  async #read(file: string): Promise<void> {
    const path = join(this.#folder, file)
    if (!file.endsWith('.json') || SameHostBoard.#here.has(path)) return
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
