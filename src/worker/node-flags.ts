/** The part of a worker's command line that is the same at every level: Node, its rights, its limits. */

export interface NodeRights {
  readonly allowNet: boolean
  /** Absolute folders, as the child sees them. */
  readonly allowFsRead: readonly string[]
  readonly jobMemoryMb: number
}

/** Node 24 has no switch for the network under `--permission`: there it is simply open. */
export const NODE_GUARDS_NETWORK = process.allowedNodeEnvironmentFlags.has('--allow-net')

/** Since these versions a process can give up rights for good, as the child does with its inspector before any job. */
export function canGiveUpRights(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > 26 || (major === 26 && minor >= 3) || (major === 24 && minor >= 21)
}

/**
 * Arguments for Node.
 *
 * `--permission` refuses files, child processes, threads, addons, WASI, the inspector and, from Node 25, the network
 * and native calls. `--disable-sigusr1`: a signal must not open the inspector. `__proto__` stays: ordinary packages use
 * it, and it gives a job nothing that `Object.setPrototypeOf` does not. V8's middle compiler stays on: systems that
 * keep worker processes for long were seen to compute six times slower half-way with it on Node 24, ours were not, on
 * 24 and 26, over hundreds of loops of 5 to 500 ms each.
 *
 * `--v8-pool-size=1`: one thread beside the job's for compiling and collecting, instead of four. A slot is one core; the
 * other cores run other jobs, and four threads that wake up on them for some microseconds each cost more than they bring.
 */
export function nodeArguments(childFile: string, rights: NodeRights): string[] {
  return [
    '--permission',
    `--allow-fs-read=${childFile}`,
    ...rights.allowFsRead.map((folder) => `--allow-fs-read=${folder}`),
    ...(canGiveUpRights(process.versions.node) ? ['--allow-inspector'] : []),
    ...(rights.allowNet && NODE_GUARDS_NETWORK ? ['--allow-net'] : []),
    '--disable-sigusr1',
    '--no-addons',
    '--v8-pool-size=1',
    '--no-warnings',
    `--max-old-space-size=${rights.jobMemoryMb}`,
    childFile,
    JSON.stringify({ net: rights.allowNet, read: rights.allowFsRead })
  ]
}
