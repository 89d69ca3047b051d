import { basename } from 'node:path'
import { loadJobsFile, UsageError } from '../../index.ts'
import type { RunCommandOptions } from '../run-options.ts'
import { createNode } from '../create-node.ts'
import { EXIT, ExitError } from '../exit.ts'
import { Interrupted, interruptSignal } from '../interrupt.ts'
import { log } from '../log.ts'
import { formatNumber } from '../output.ts'

/** `run --detach`: the jobs are read and printed here, and run wherever the run is held. */
export async function detachFile(file: string, args: string[], options: RunCommandOptions): Promise<void> {
  const { signal, dispose } = interruptSignal(EXIT.interrupted)
  const { node, password } = await createNode(options, { slots: 0, lend: false, start: false })
  try {
    if (!password)
      throw new UsageError('no password, so there is nobody to hold the run: dist-node init makes a mesh')
    const { jobs, options: fromFile, collect } = await loadJobsFile(file, args)
    node.on('warning', (message) => log.warn(message))
    await node.start()
    const { timeoutMs, retries, idempotent, setup } = fromFile
    const unheeded = NOT_FOR_HELD_RUNS.filter((key) => fromFile[key] !== undefined && fromFile[key] !== false)
    if (unheeded.length > 0)
      log.warn(
        `${basename(file)}: a run that is handed over does not heed its options ${unheeded.join(', ')}`
      )
    const run = await node.detach(jobs, {
      label: fromFile.label ?? basename(file),
      signal,
      waitMs: options.wait,
      ...(setup === undefined ? {} : { setup }),
      ...(idempotent === undefined ? {} : { idempotent }),
      ...withDefined({ timeoutMs: options.timeout ?? timeoutMs, retries: options.retries ?? retries })
    })
    report(run, options)
    if (collect !== undefined && options.quiet !== true)
      log.info(`collect of ${basename(file)} is not called; attach has the results`)
  } catch (error) {
    if (error instanceof Interrupted)
      throw new ExitError(EXIT.interrupted, 'interrupted: nothing was detached')
    throw error
  } finally {
    await node.stop('done')
    dispose()
  }
}

/** Options of a jobs file that are about the process that runs it, or about its choice of peers. */
const NOT_FOR_HELD_RUNS = ['cache', 'journal', 'only', 'ordered'] as const

/** The id alone goes to stdout: `id=$(dist-node run jobs.ts --detach)`. */
function report(run: { id: string; holder: string; jobs: number }, options: RunCommandOptions): void {
  console.log(
    options.json === true ? JSON.stringify({ run: run.id, holder: run.holder, jobs: run.jobs }) : run.id
  )
  if (options.quiet === true) return
  const count = `${formatNumber(run.jobs)} job${run.jobs === 1 ? '' : 's'}`
  log.info(`${count} with ${run.holder}; dist-node attach ${run.id.slice(0, 8)} follows them`, run)
}

function withDefined(options: { timeoutMs: number | undefined; retries: number | undefined }): {
  timeoutMs?: number
  retries?: number
} {
  const { timeoutMs, retries } = options
  return { ...(timeoutMs === undefined ? {} : { timeoutMs }), ...(retries === undefined ? {} : { retries }) }
}
