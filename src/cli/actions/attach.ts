import type { MeshOptions } from '../mesh-options.ts'
import { type AttachedRun, type DistNode, MeshError, openJournal } from '../../index.ts'
import { withVisitor } from '../visitor.ts'
import { Display, displayKind } from '../display.ts'
import { EXIT, ExitError } from '../exit.ts'
import { heldTable } from '../held-table.ts'
import { Interrupted } from '../interrupt.ts'
import { log, say } from '../log.ts'
import { formatDuration, formatNumber, visible } from '../output.ts'
import { printResults } from '../print-results.ts'
import { SHORT_ID } from '../run-list.ts'

export interface AttachCommandOptions extends MeshOptions {
  ordered?: boolean
  out?: string
  quiet?: boolean
  wait?: number
  exit: (code: number) => void
}

export async function attach(id: string, options: AttachCommandOptions): Promise<void> {
  try {
    await withVisitor(options, (node, signal) => {
      const run = node.attach(id, {
        signal,
        ...(options.ordered === true ? { ordered: true } : {}),
        ...(options.wait === undefined ? {} : { waitMs: options.wait })
      })
      return follow(node, run, id, options)
    })
  } catch (error) {
    if (error instanceof Interrupted)
      throw new ExitError(
        EXIT.interrupted,
        `not following any more; the run goes on: dist-node attach ${id.slice(0, SHORT_ID)}`
      )
    if (error instanceof MeshError && error.code === 'MESH_RUN_UNKNOWN' && isHeldHere(id, options.dir))
      throw new ExitError(
        EXIT.mesh,
        `run ${id} is held by this machine, whose dist-node start does not run: start it, and the run goes on`
      )
    if (error instanceof MeshError && error.code === 'MESH_RUN_CANCELLED')
      throw new ExitError(EXIT.jobFailed, error.message)
    throw error
  }
}

/** Its file is in the state folder of this machine, and nobody works on it. */
function isHeldHere(id: string, dir: string | undefined): boolean {
  return openJournal(dir)
    .runs()
    .some((run) => run.held && run.id.startsWith(id))
}

/** `attach` without a run: what the nodes hold that are there within a moment. */
export async function listHeld(options: AttachCommandOptions): Promise<void> {
  await withVisitor(options, async (node, signal) => {
    const wait = options.wait === undefined ? {} : { waitMs: options.wait }
    const runs = await node.heldRuns({ signal, ...wait })
    if (options.json === true) for (const run of runs) console.log(JSON.stringify(run))
    else if (runs.length === 0) log.info('no node that is here holds a run')
    else console.log(heldTable(runs, process.stdout.hasColors?.()))
  })
}

async function follow(
  node: DistNode,
  run: AttachedRun,
  id: string,
  options: AttachCommandOptions
): Promise<void> {
  const startedMs = performance.now()
  node.on('holder-lost', ({ run, node: holder }) =>
    log.info(
      `${holder}, which holds the run, is away: waiting for it (Ctrl-C stops following, not the run)`,
      {
        run,
        node: holder
      }
    )
  )
  node.on('holder-found', ({ run, node: holder }) =>
    log.info(`${holder} has the run: going on`, { run, node: holder })
  )
  node.on('warning', (message) => log.warn(message))
  try {
    using display = new Display(node, run, id, displayKind(options))
    await printResults(run, options, display)
  } finally {
    if (options.quiet !== true && run.status !== undefined) tellEnd(run, performance.now() - startedMs)
    if (run.progress.failed > 0) options.exit(EXIT.jobFailed)
  }
}

/** What came here, not how long the run took: others may have followed it before. */
function tellEnd({ id, label, holder, progress }: AttachedRun, elapsedMs: number): void {
  const { succeeded, failed, total = 0, byNode } = progress
  const nodes = [...byNode].map(([node, jobs]) => ({ node, jobs }))
  const shares = nodes.map(({ node, jobs }) => `${node} ${formatNumber(jobs)}`).join(', ')
  const failures = failed === 0 ? '' : `, ${formatNumber(failed)} failed`
  const text = `${label}, held by ${holder}: ${formatNumber(succeeded)} of ${formatNumber(total)} done${failures} (${shares})`
  const fields = { run: id, holder, done: succeeded, failed, total, nodes, followedMs: elapsedMs }
  say([visible(`${text}, followed for ${formatDuration(elapsedMs)}`)], text, fields)
}
