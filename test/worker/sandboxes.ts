import { probeSandbox } from '../../src/worker/sandbox.ts'
import type { Sandbox, SandboxOptions } from '../../src/worker/sandbox.ts'
import { SANDBOX_LEVELS } from '../../src/worker/level.ts'
import type { SandboxLevel } from '../../src/worker/level.ts'
import { childFile } from './child-file.ts'

/** The sandbox of this level, or nothing where it does not work on this machine. */
export async function sandboxOf(
  level: SandboxLevel,
  options: Omit<SandboxOptions, 'sandbox'> = {}
): Promise<Sandbox | undefined> {
  try {
    return await probeSandbox({ childFile: await childFile(), ...options, sandbox: level })
  } catch (error) {
    if ((error as { code?: string }).code !== 'SANDBOX_UNAVAILABLE') throw error
    console.warn(`not tested here: ${(error as Error).message}`)
    return undefined
  }
}

/** Every level that works on this machine, probed. `permission` works wherever Node does. */
export async function allSandboxes(options: Omit<SandboxOptions, 'sandbox'> = {}): Promise<Sandbox[]> {
  const sandboxes: Sandbox[] = []
  for (const level of SANDBOX_LEVELS) {
    const sandbox = await sandboxOf(level, options)
    if (sandbox !== undefined) sandboxes.push(sandbox)
  }
  if (sandboxes.length === 0) throw new Error('no sandbox works here, not even Node’s own')
  return sandboxes
}
