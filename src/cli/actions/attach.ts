import { type AttachedRun, type DistNode, MeshError, UsageError } from '../../index.ts'
import type { AttachCommandOptions } from '../commands/attach.ts'
import { createNode } from '../create-node.ts'
import { Display } from '../display.ts'
import { EXIT, ExitError } from '../exit.ts'
import { Interrupted, interruptSignal } from '../interrupt.ts'
import { visible } from '../output.ts'
import { printResults, summary } from '../print-results.ts'

export async function attach(id: string, options: AttachCommandOptions): Promise<void> {
  const { signal, dispose } = interruptSignal(EXIT.interrupted)
  const { node, password } = await createNode(options, { slots: 0, lend: false, ask: true, start: false })
  try {
    if (!password)
      throw new UsageError('no password: make one with dist-node init, or store yours with dist-node join')
    await node.start()
    const run = node.attach(id, {
      signal,
      ...(options.ordered === true ? { ordered: true } : {}),
      ...(options.wait === undefined ? {} : { waitMs: options.wait })
    })
    await follow(node, run, id, options)
  } catch (error) {
    if (error instanceof Interrupted)
      throw new ExitError(EXIT.interrupted, `not following any more; the run goes on: dist-node attach ${id}`)
    if (error instanceof MeshError && error.code === 'MESH_RUN_CANCELLED')
      throw new ExitError(EXIT.jobFailed, error.message)
    throw error
  } finally {
    await node.stop('done')
    dispose()
  }
}

async function follow(
  node: DistNode,
  run: AttachedRun,
  id: string,
  options: AttachCommandOptions
): Promise<void> {
  const started = performance.now()
  const kind = options.quiet === true ? 'nothing' : process.stderr.isTTY ? 'live' : 'lines'
  try {
    using display = new Display(node, run, id, kind)
    const say = (text: string): boolean => display.write(process.stderr, visible(text))
    node.on('holder-lost', ({ node: holder }) =>
      say(`${holder}, which holds the run, is away: waiting for it (Ctrl-C stops following, not the run)`)
    )
    node.on('holder-found', ({ node: holder }) => say(`${holder} has the run: going on`))
    node.on('warning', (message) => say(`warning: ${message}`))
    await printResults(run, options, display)
  } finally {
    if (options.quiet !== true && run.status !== undefined)
      console.error(
        visible(`${run.label}, held by ${run.holder}: ${summary(run.progress, performance.now() - started)}`)
      )
    if (run.progress.failed > 0) options.exit(EXIT.jobFailed)
  }
}
