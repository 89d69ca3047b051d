/** What the options of a command make of a node. */
import {
  createDistNode,
  type DistNode,
  type FoundPassword,
  locatePassword,
  type NodeOptions
} from '../index.ts'
import { askPassword } from './ask-password.ts'
import { logForDebugging } from './debug-log.ts'
import { log } from './log.ts'
import type { MeshOptions, SandboxOptions } from './mesh-options.ts'

export interface CreatedNode {
  readonly node: DistNode
  readonly password: boolean
  /** The file that held the password, if one did. */
  readonly passwordFile?: string
}

/**
 * A node from options; without a password one that works on this machine alone.
 *
 * @param more.ask whether to ask for the password on a terminal where no other source has one
 */
export async function createNode(
  options: MeshOptions & Partial<SandboxOptions>,
  {
    ask = false,
    ...more
  }: Pick<NodeOptions, 'drainMs' | 'hold' | 'lend' | 'local' | 'slots'> & {
    start?: boolean
    ask?: boolean
  } = {}
): Promise<CreatedNode> {
  const found = await findOrAsk(options, ask)
  if (found?.warning !== undefined) log.warn(found.warning)
  const node = await createDistNode({
    ...(found === undefined ? {} : { password: found.password }),
    mesh: options.mesh,
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(options.slots === undefined ? {} : { slots: options.slots }),
    peers: options.peer,
    ...(options.listen.length === 0 ? {} : { listen: options.listen }),
    mdns: options.mdns,
    ...(options.dir === undefined ? {} : { dir: options.dir }),
    ...(options.sandbox === undefined ? {} : { sandbox: options.sandbox }),
    ...(options.sandboxMin === undefined ? {} : { sandboxMin: options.sandboxMin }),
    allowNet: options.allowNet === true,
    allowFsRead: options.allowFsRead ?? [],
    secretPaths: found?.file === undefined ? [] : [found.file],
    ...(options.jobMemory === undefined ? {} : { jobMemoryMb: options.jobMemory }),
    ...more
  })
  logForDebugging(node)
  return {
    node,
    password: found !== undefined,
    ...(found?.file === undefined ? {} : { passwordFile: found.file })
  }
}

async function findOrAsk(options: MeshOptions, ask: boolean): Promise<FoundPassword | undefined> {
  const found = await locatePassword({
    ...(options.passwordFile === undefined ? {} : { file: options.passwordFile }),
    allowWeak: options.weakPassword === true
  })
  if (found !== undefined || !ask || !process.stdin.isTTY) return found
  const password = await askPassword()
  return password === '' ? undefined : { password }
}
