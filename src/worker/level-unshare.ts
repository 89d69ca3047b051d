import { existsSync, realpathSync } from 'node:fs'
import { NOBODY, libraries } from './host.ts'
import type { Host } from './host.ts'
import { NAME_LOOKUP_FILES, limitArguments, toCommand } from './level.ts'
import type { LevelCommand, LevelOptions } from './level.ts'
import { nodeArguments } from './node-flags.ts'
import { words } from './words.ts'

/**
 * Level `unshare`: what bubblewrap does, with the tools every Linux has (util-linux and a shell). Namespaces of its own,
 * then a new root folder in memory that holds Node, its libraries and the child's one file, all read-only; the old root
 * is left and let go of, so nothing else of the machine's files is there, not even to be denied.
 */
export function unshareCommand(host: Host, options: LevelOptions): LevelCommand {
  const tools: Tools = {
    unshare: '',
    setpriv: '',
    mount: '',
    umount: '',
    pivot_root: '',
    sh: '',
    mkdir: '',
    ln: ''
  }
  for (const tool of Object.keys(tools) as (keyof Tools)[]) {
    const path = host.find(tool)
    if (path === undefined)
      return { unavailable: `${tool} is not installed (Debian, Ubuntu: apt install util-linux)` }
    tools[tool] = path
  }
  return {
    command: toCommand([
      // Should the node die, unshare must too: it waits for the child, and takes it along.
      tools.setpriv,
      ...words('--pdeathsig KILL'),
      ...limitArguments(host, options),
      tools.unshare,
      // Root needs no user namespace, and must not have one: in it a job would still be root towards the kernel.
      ...(host.root ? [] : ['--user', '--map-root-user']),
      ...words('--pid --ipc --uts --cgroup --mount --fork --kill-child'),
      ...(options.allowNet ? [] : ['--net']),
      tools.sh,
      '-c',
      rootScript(host, options, tools)
    ])
  }
}

type Tools = Record<'unshare' | 'setpriv' | 'mount' | 'umount' | 'pivot_root' | 'sh' | 'mkdir' | 'ln', string>

/** Runs in the new namespaces: builds the new root in memory, moves there, drops every right and becomes Node. */
function rootScript(host: Host, options: LevelOptions, tools: Tools): string {
  const { folders, links } = libraries()
  const lookup = options.allowNet ? NAME_LOOKUP_FILES.filter((file) => existsSync(file)) : []
  const allFolders = [...folders, ...options.allowFsRead, ...(lookup.length === 0 ? [] : ['/etc'])]
  const files = ['node', 'setpriv', 'job.cjs', ...lookup.map((file) => file.slice(1))]
  const user = host.root ? `--reuid=${NOBODY} --regid=${NOBODY} --clear-groups` : ''
  return [
    'set -e',
    'umask 022',
    `${tools.mount} -t tmpfs -o mode=755,size=1m,nosuid,nodev tmpfs ${BASE}`,
    `cd ${BASE}`,
    `${tools.mkdir} -p proc old ${allFolders.map((folder) => quote(folder.slice(1))).join(' ')}`,
    ...links.map(([link, target]) => `${tools.ln} -s ${quote(target)} ${quote(link.slice(1))}`),
    ...files.map((file) => `: > ${quote(file)}`),
    ...folders.map((folder) => bind(tools.mount, folder, folder.slice(1), '')),
    ...lookup.map((file) => bind(tools.mount, realpathSync(file), file.slice(1), ',noexec')),
    ...options.allowFsRead.map((folder) => bind(tools.mount, folder, folder.slice(1), ',noexec')),
    bind(tools.mount, host.node, 'node', ''),
    bind(tools.mount, tools.setpriv, 'setpriv', ''),
    bind(tools.mount, options.childFile, 'job.cjs', ',noexec'),
    `${tools.mount} -t proc -o nosuid,nodev,noexec proc proc`,
    `${tools.pivot_root} . old`,
    'cd /',
    `/old${tools.mount} -t tmpfs -o remount,ro,nosuid,nodev tmpfs /`,
    `/old${tools.umount} -l /old`,
    `exec /setpriv ${user} --pdeathsig KILL ${DROP_PRIVILEGES} /node ${nodeArguments('/job.cjs', options).map(quote).join(' ')}`
  ].join('\n')
}

/** Covered by the new root while that is built, in the child's own mount namespace only. Nothing the child needs lies below. */
const BASE = '/sys'

const DROP_PRIVILEGES = '--no-new-privs --bounding-set=-all --inh-caps=-all --ambient-caps=-all'

/** A folder with other file systems mounted inside can only be shown together with them. */
function bind(mount: string, source: string, target: string, flags: string): string {
  const rest = `-o ro,nosuid,nodev${flags} ${quote(source)} ${quote(target)}`
  return `${mount} --bind ${rest} 2>/dev/null || ${mount} --rbind ${rest}`
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}
