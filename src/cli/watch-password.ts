import { unwatchFile, watchFile } from 'node:fs'
import { findPassword } from '../index.ts'

/** A new password has to count soon, above all when an old one was revoked; a look at one file costs nothing. */
const LOOK_EVERY_MS = 1_000

export interface PasswordWatcher {
  onChange(password: string): Promise<void>
  onError(error: Error): void
}

/** Reports every new content of a password file that can be used; returns what ends it. */
export function watchPassword(file: string, allowWeak: boolean, watcher: PasswordWatcher): () => void {
  const look = async (): Promise<void> => {
    try {
      const password = await findPassword({ file, allowWeak })
      if (password !== undefined) await watcher.onChange(password)
    } catch (error) {
      // The password in use stays: a file that is being edited is no reason to leave the mesh.
      watcher.onError(error as Error)
    }
  }
  const listener = (): void => void look()
  watchFile(file, { interval: LOOK_EVERY_MS, persistent: false }, listener)
  return () => unwatchFile(file, listener)
}
