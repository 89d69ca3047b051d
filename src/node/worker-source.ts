/** Where an executor gets its worker processes: the sandbox that works here, and warm spares in it. */
import { probeSandbox, type Sandbox } from '../worker/sandbox.ts'
import { SpareWorkers } from '../worker/spares.ts'
import type { WorkerProcess } from '../worker/process.ts'
import type { ResolvedNodeOptions } from './options.ts'

export interface WorkerSource {
  readonly sandbox: Sandbox
  take(): WorkerProcess
  stop(): Promise<void>
}

export async function startWorkerSource(options: ResolvedNodeOptions): Promise<WorkerSource> {
  const sandbox = await probeSandbox({
    sandbox: options.sandbox,
    min: options.sandboxMin,
    allowNet: options.allowNet,
    allowFsRead: [...options.allowFsRead],
    jobMemoryMb: options.jobMemoryMb
  })
  const spares = new SpareWorkers(sandbox, options.slots)
  return { sandbox, take: () => spares.take(), stop: () => spares.close() }
}
