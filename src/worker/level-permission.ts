import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { NOBODY } from './host.ts'
import type { Host } from './host.ts'
import { limitArguments, toCommand } from './level.ts'
import type { LevelCommand, LevelOptions } from './level.ts'
import { nodeArguments } from './node-flags.ts'

/**
 * Level `permission`: Node's own permission model and the reduced modules inside the child, nothing of the kernel's but
 * resource limits. What remains open is listed in SECURITY.md.
 *
 * `setpriv`, where there is one, ties the child's life to this process, so that an endless loop does not outlive it,
 * and lets no set-user-id program give rights back.
 */
export function permissionCommand(host: Host, options: LevelOptions): LevelCommand {
  const setpriv = host.find('setpriv')
  if (host.root && setpriv === undefined) {
    return { unavailable: 'running as root needs setpriv (util-linux), to run jobs as nobody' }
  }
  const closed = host.root ? (closedToNobody(host.node) ?? closedToNobody(options.childFile, 0o4)) : undefined
  if (closed !== undefined) {
    return {
      unavailable:
        `running as root, jobs run as nobody, to whom ${closed} is closed (chmod o+rx); ` +
        'or install Node and dist-node outside it, or start dist-node as another user'
    }
  }
  const user = host.root ? [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'] : []
  const node = [host.node, ...nodeArguments(options.childFile, options)]
  const prefix = setpriv === undefined ? [] : [setpriv, ...user, '--no-new-privs', '--pdeathsig', 'KILL']
  return { command: toCommand([...prefix, ...limitArguments(host, options), ...node]) }
}

/**
 * The file, or the folder on its path, that keeps `nobody` from it: often /root.
 *
 * @param right what `nobody` needs of it, as others in its mode; folders on the path are passed through
 */
function closedToNobody(path: string, right = 0o1): string | undefined {
  const parent = dirname(path)
  const above = parent === path ? undefined : closedToNobody(parent)
  if (above !== undefined) return above
  const { uid, mode } = statSync(path)
  return (uid === NOBODY ? mode >> 6 : mode) & right ? undefined : path
}
