/** Where an executor gets its worker processes: the sandbox that works here, and warm spares in it. */
import { dirname } from 'node:path'
import { SandboxError } from '../../worker/errors.ts'
import type { WorkerProcess } from '../../worker/process.ts'
import { probeSandbox, type Sandbox } from '../../worker/sandbox.ts'
import { SpareWorkers } from '../../worker/spares.ts'
import { UsageError } from '../errors.ts'
import type { ResolvedNodeOptions } from '../options.ts'
import { passwordFile } from '../password/password.ts'

export interface WorkerSource {
  readonly sandbox: Sandbox
  take(): WorkerProcess
  stop(): Promise<void>
}

/**
 * @param stateFolder the node's own folder, in which its private key is
 * @throws {UsageError} when no sandbox of the wanted strength works here, or jobs would be let at secrets
 */
export async function startWorkerSource(
  options: ResolvedNodeOptions,
  stateFolder: string
): Promise<WorkerSource> {
  const sandbox = await probe(options, stateFolder)
  const spares = new SpareWorkers(sandbox, options.slots)
  return { sandbox, take: () => spares.take(), stop: () => spares.close() }
}

async function probe(options: ResolvedNodeOptions, stateFolder: string): Promise<Sandbox> {
  try {
    return await probeSandbox({
      sandbox: options.sandbox,
      min: options.sandboxMin,
      allowNet: options.allowNet,
      allowFsRead: [...options.allowFsRead],
      secretFolders: [dirname(passwordFile()), stateFolder, ...options.secretPaths],
      jobMemoryMb: options.jobMemoryMb,
      // The process that showed that the sandbox works serves the first run.
      keepSpare: true
    })
  } catch (error) {
    const isOwners = error instanceof SandboxError || error instanceof RangeError
    if (isOwners) throw new UsageError(error.message, { cause: error })
    const { code, path } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw new UsageError(`allowFsRead: ${path} does not exist`, { cause: error })
    throw error
  }
}
