import { type DistNode, UsageError } from '../index.ts'
import { createNode } from './create-node.ts'
import { EXIT } from './exit.ts'
import { interruptSignal } from './interrupt.ts'
import type { MeshOptions } from './mesh-options.ts'

/** A node that lends nothing and is in the mesh, for as long as `use` takes. */
export async function withVisitor(
  options: MeshOptions,
  use: (node: DistNode, signal: AbortSignal) => Promise<void>
): Promise<void> {
  const { signal, dispose } = interruptSignal(EXIT.interrupted)
  const { node, password } = await createNode(options, { slots: 0, lend: false, ask: true, start: false })
  try {
    if (!password)
      throw new UsageError('no password: make one with dist-node init, or store yours with dist-node join')
    await node.start()
    await use(node, signal)
  } finally {
    await node.stop('done')
    dispose()
  }
}
