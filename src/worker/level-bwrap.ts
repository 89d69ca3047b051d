import { existsSync, realpathSync } from 'node:fs'
import { NOBODY, libraries } from './host.ts'
import type { Host } from './host.ts'
import { NAME_LOOKUP_FILES, limitArguments, toCommand } from './level.ts'
import type { LevelCommand, LevelOptions } from './level.ts'
import { nodeArguments } from './node-flags.ts'
import { words } from './words.ts'

/**
 * Level `bwrap`: an empty file system with Node, its libraries and the child's one file, all read-only; its own process,
 * network, host-name and IPC namespaces; no capability; Node's own permission model inside.
 */
export function bwrapCommand(host: Host, options: LevelOptions): LevelCommand {
  const bwrap = host.find('bwrap')
  if (bwrap === undefined)
    return { unavailable: 'bubblewrap is not installed (Debian, Ubuntu: apt install bubblewrap)' }
  const setpriv = host.find('setpriv')
  if (host.root && setpriv === undefined) {
    return { unavailable: 'running as root needs setpriv (util-linux), to run jobs as nobody' }
  }
  const user = host.root && setpriv !== undefined ? asNobody(setpriv) : AS_USER
  return {
    command: toCommand([
      ...limitArguments(host, options),
      bwrap,
      ...words('--unshare-ipc --unshare-pid --unshare-uts --unshare-cgroup-try --hostname job'),
      ...(options.allowNet ? [] : ['--unshare-net']),
      ...words('--die-with-parent --new-session --clearenv --cap-drop ALL'),
      ...user.namespace,
      ...visibleFiles(host, options),
      ...user.mounts,
      ...words('--remount-ro / --chdir /'),
      ...user.prefix,
      '/node',
      ...nodeArguments('/job.cjs', options)
    ])
  }
}

interface User {
  readonly namespace: readonly string[]
  readonly mounts: readonly string[]
  readonly prefix: readonly string[]
}

const AS_USER: User = { namespace: ['--unshare-user', '--disable-userns'], mounts: [], prefix: [] }

/**
 * Root needs no user namespace, and must not have one: in it a job would still be the real root towards the kernel.
 * bwrap keeps the right to change the user, and setpriv uses it up.
 */
function asNobody(setpriv: string): User {
  return {
    namespace: ['CAP_SETUID', 'CAP_SETGID', 'CAP_SETPCAP'].flatMap((capability) => ['--cap-add', capability]),
    mounts: ['--ro-bind', setpriv, '/setpriv'],
    prefix: ['/setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', ...DROP_PRIVILEGES]
  }
}

const DROP_PRIVILEGES = ['--no-new-privs', '--bounding-set=-all', '--inh-caps=-all', '--ambient-caps=-all']

function visibleFiles(host: Host, options: LevelOptions): string[] {
  const { folders, links } = libraries()
  const lookup = options.allowNet ? NAME_LOOKUP_FILES.filter((file) => existsSync(file)) : []
  const parents = parentFolders([...folders, ...lookup, ...options.allowFsRead])
  return [
    // bwrap would make missing parents for its own user alone, and root's jobs run as another.
    ...parents.flatMap((folder) => ['--perms', '0755', '--dir', folder]),
    ...folders.flatMap((folder) => ['--ro-bind', folder, folder]),
    ...links.flatMap(([link, target]) => ['--symlink', target, link]),
    ...lookup.flatMap((file) => ['--ro-bind', realpathSync(file), file]),
    ...words('--proc /proc --dev /dev'),
    ...options.allowFsRead.flatMap((folder) => ['--ro-bind', folder, folder]),
    '--ro-bind',
    host.node,
    '/node',
    '--ro-bind',
    options.childFile,
    '/job.cjs'
  ]
}

/** Every folder above these paths, outermost first, once. */
function parentFolders(paths: readonly string[]): string[] {
  const parents = new Set<string>()
  for (const path of paths) {
    const names = path.split('/').slice(1, -1)
    names.forEach((_, index) => parents.add(`/${names.slice(0, index + 1).join('/')}`))
  }
  return [...parents].toSorted((a, b) => a.length - b.length)
}
