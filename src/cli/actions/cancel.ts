import type { MeshOptions } from '../mesh-options.ts'
import { log } from '../log.ts'
import { withVisitor } from '../visitor.ts'

export interface CancelCommandOptions extends MeshOptions {
  wait: number
}

export async function cancel(run: string, options: CancelCommandOptions): Promise<void> {
  await withVisitor(options, async (node, signal) => {
    const status = await node.cancel(run, { waitMs: options.wait, signal })
    if (options.json === true) console.log(JSON.stringify(status))
    else log.info(`${status.id} (${status.label}, held by ${status.holder}): ${status.state}`)
  })
}
