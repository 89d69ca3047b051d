/**
 * What works and what does not on this machine and this network, in the order in which one would look: the machine, the
 * password, the network, the mesh. Every finding is one sentence and, unless all is well, what to do about it.
 */
import { findFolders, findNode, findPasswordState, findSandboxes } from './doctor-machine.ts'
import { findMesh } from './doctor-mesh.ts'
import { findInterfaces } from './doctor-interfaces.ts'
import { findFirewall, findPort } from './doctor-network.ts'
import type { Finding } from './finding.ts'
import { type NodeOptions, resolveNodeOptions } from '../options.ts'

/** What to look at. */
export interface DiagnoseOptions extends Pick<
  NodeOptions,
  'mesh' | 'name' | 'peers' | 'listen' | 'mdns' | 'dir' | 'allowNet'
> {
  /** A password file to look at instead of every other source. */
  readonly passwordFile?: string
  /** Accept a password that is easy to guess. @default false */
  readonly allowWeak?: boolean
  /** How long to listen for peers, in milliseconds. @default 3_000 */
  readonly waitMs?: number
  /** Ends listening for peers early. */
  readonly signal?: AbortSignal
}

/**
 * Looks at this machine and this network; joins the mesh for a few seconds, lending nothing.
 *
 * @throws {UsageError} when an option cannot be used
 * @example for await (const { status, message } of diagnose()) console.log(status, message)
 */
export async function* diagnose(options: DiagnoseOptions = {}): AsyncGenerator<Finding, void> {
  const { passwordFile, allowWeak = false, waitMs = 3_000, signal, ...forNode } = options
  const { mdns, dir, allowNet } = resolveNodeOptions(forNode)
  yield findNode(process.versions.node, process.execPath)
  yield* findSandboxes(allowNet)
  const folders = await findFolders(dir)
  yield* folders
  const { finding, password } = await findPasswordState({
    ...(passwordFile === undefined ? {} : { file: passwordFile }),
    allowWeak
  })
  yield finding
  yield* findInterfaces(mdns)
  if (mdns) yield await findPort()
  yield await findFirewall()
  // Without its folders a node cannot start; that has been said.
  if (folders.some(({ status }) => status === 'problem') || password === undefined) return
  yield* findMesh({ ...forNode, password }, waitMs, signal)
}
