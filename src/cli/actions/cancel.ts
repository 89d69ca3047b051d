import { UsageError } from '../../index.ts'
import type { CancelCommandOptions } from '../commands/cancel.ts'
import { createNode } from '../create-node.ts'
import { EXIT, ExitError } from '../exit.ts'
import { Interrupted, interruptSignal } from '../interrupt.ts'
import { log } from '../log.ts'

export async function cancel(run: string, options: CancelCommandOptions): Promise<void> {
  const { signal, dispose } = interruptSignal(EXIT.interrupted)
  const { node, password } = await createNode(options, { slots: 0, lend: false, ask: true, start: false })
  try {
    if (!password)
      throw new UsageError('no password: make one with dist-node init, or store yours with dist-node join')
    await node.start()
    const status = await node.cancel(run, { waitMs: options.wait, signal })
    if (options.json === true) console.log(JSON.stringify(status))
    else log.info(`${status.id} (${status.label}, held by ${status.holder}): ${status.state}`)
  } catch (error) {
    if (error instanceof Interrupted) throw new ExitError(EXIT.interrupted, 'interrupted')
    throw error
  } finally {
    await node.stop('done')
    dispose()
  }
}
