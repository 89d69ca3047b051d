import { accessSync, constants, lstatSync, readFileSync, readlinkSync, realpathSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'

/** What this machine offers to build a sandbox from. Read once per probe. */
export interface Host {
  readonly root: boolean
  /** The Node binary in use, every link followed: it may lie in a home folder. */
  readonly node: string
  /** Full path of a program of this name, if there is one. */
  find(program: string): string | undefined
}

export function readHost(path: string = process.env['PATH'] ?? ''): Host {
  // The administrator's folders are not on every user's path; setpriv, prlimit and pivot_root may lie there.
  const folders = [...path.split(delimiter), '/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin']
  return {
    root: process.getuid?.() === 0 && hasNobody(),
    node: realpathSync(process.execPath),
    find: (program) => folders.map((folder) => join(folder, program)).find(isExecutable)
  }
}

/** The uid and gid of `nobody`, on every Linux: jobs run as it when the node runs as root. */
export const NOBODY = 65534

/** Folders that may hold shared libraries Node is linked to. */
const LIBRARY_FOLDERS = [
  '/usr/lib',
  '/usr/lib32',
  '/usr/lib64',
  '/lib',
  '/lib32',
  '/lib64',
  '/nix/store',
  '/gnu/store'
]

export interface Libraries {
  /** Folders the child must see. */
  readonly folders: readonly string[]
  /** Links the child must find: [link, where it points], as `/lib -> usr/lib`. */
  readonly links: readonly (readonly [string, string])[]
}

/** What the child needs to see so that the dynamic linker can load Node: system folders and those of libraries mapped here. */
export function libraries(): Libraries {
  const folders = new Set<string>()
  const links: [string, string][] = []
  for (const folder of LIBRARY_FOLDERS) {
    const status = lstatSync(folder, { throwIfNoEntry: false })
    if (status?.isSymbolicLink() === true) links.push([folder, readlinkSync(folder)])
    else if (status?.isDirectory() === true) folders.add(folder)
  }
  for (const file of mappedFiles()) {
    const inside = [...folders].some((folder) => file.startsWith(`${folder}/`))
    if (!inside && /\.so(\.|$)/.test(file)) folders.add(dirname(file))
  }
  return { folders: [...folders], links }
}

function mappedFiles(): string[] {
  try {
    const lines = readFileSync('/proc/self/maps', 'utf8').split('\n')
    return [
      ...new Set(lines.map((line) => line.slice(line.indexOf('/'))).filter((file) => file.startsWith('/')))
    ]
  } catch {
    return [] // no /proc: the system's folders have to do
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Root of a user namespace that maps no other user (rootless containers) cannot become one either. */
function hasNobody(): boolean {
  try {
    const ranges = readFileSync('/proc/self/uid_map', 'utf8').trim().split('\n')
    return ranges.some((line) => {
      const [first = 0, , count = 0] = line.trim().split(/\s+/).map(Number)
      return NOBODY >= first && NOBODY < first + count
    })
  } catch {
    return true
  }
}
