/**
 * Keeps what V8 compiled of the command, the library, and what they load, in the user's cache folder: the next start takes a
 * third less processor time. Where the folder cannot be written, every start compiles anew.
 */
export function cacheCompiledCode(): void {
  // Modules as values, here and below, for the reason that is given in `prepared-answers.ts`.
  const { homedir } = process.getBuiltinModule('node:os')
  const { join } = process.getBuiltinModule('node:path')
  const folder = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache')
  const own = join(folder, 'dist-node', 'compiled')
  // What is in there is executed: root who was given the environment of somebody else would execute what that one put there.
  if (belongsToUs(own)) process.getBuiltinModule('node:module').enableCompileCache(own)
}

/** The folder, or the nearest above it that exists. */
export function belongsToUs(folder: string): boolean {
  const uid = process.getuid?.()
  if (uid === undefined) return true
  const { dirname } = process.getBuiltinModule('node:path')
  const { statSync } = process.getBuiltinModule('node:fs')
  const found = statSync(folder, { throwIfNoEntry: false })
  if (found === undefined) return dirname(folder) !== folder && belongsToUs(dirname(folder))
  // Many systems give each user a group of its own, which may write wherever the user may.
  return found.uid === uid && (found.mode & 0o002) === 0
}
