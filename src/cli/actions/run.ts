import { loadJobsFile, MeshError, UsageError } from '../../index.ts'
import { limitHeapGrowth } from '../heap-growth.ts'
import type { RunCommandOptions } from '../run-options.ts'
import { deliver } from '../deliver.ts'
import { EXIT } from '../exit.ts'
import { interruptSignal } from '../interrupt.ts'
import { createNode } from '../create-node.ts'
import { log } from '../log.ts'

export async function runFile(file: string, args: string[], options: RunCommandOptions): Promise<void> {
  const { signal, dispose } = interruptSignal(EXIT.interrupted)
  const slots = options.local ? {} : { slots: 0 }
  limitHeapGrowth({ executes: options.local })
  const creating = createNode(options, { ...slots, lend: false, start: false })
  // While the first worker process starts.
  const loading = loadJobsFile(file, args)
  loading.catch(() => {}) // whatever it is, it is thrown below; or the node could not be made, and that is said
  const { node, password } = await creating
  try {
    const jobsFile = await loading
    const refusals = new Set<string>()
    node.on('peer-refused', ({ address, message }) => refusals.add(`${address}: ${message}`))
    const joining = node.start()
    if (!password) {
      if (!options.local || options.minPeers !== undefined) {
        throw new UsageError(
          'no password, so there are no peers to run on: dist-node init makes a mesh, join stores its password'
        )
      }
      log.info('no password: running on this machine alone (dist-node init makes a mesh)')
    }
    if (!options.local || options.minPeers !== undefined) {
      await joining
      await node
        .waitForPeers(options.minPeers ?? 1, { timeoutMs: options.wait, signal })
        .catch(withRefusals(refusals))
    }
    await Promise.all([
      joining,
      deliver(node, { file, args, dir: options.dir }, jobsFile, { ...options, signal })
    ])
  } finally {
    await node.stop('done')
    dispose()
  }
}

/** Too few peers and somebody refused us: that is the likely reason. */
function withRefusals(refusals: ReadonlySet<string>): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof MeshError) || refusals.size === 0) throw error
    throw new MeshError(error.code, `${error.message}; ${[...refusals].join('; ')}`)
  }
}
