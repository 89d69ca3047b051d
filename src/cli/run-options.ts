import type { MeshOptions, SandboxOptions } from './mesh-options.ts'

export interface RunCommandOptions extends MeshOptions, SandboxOptions {
  ordered?: boolean
  minPeers?: number
  wait: number
  local: boolean
  timeout?: number
  retries?: number
  out?: string
  failFast?: boolean
  journal: boolean
  resume?: string | true
  retryFailed?: boolean
  cache?: boolean
  pure?: boolean
  trace?: string
  detach?: boolean
  quiet?: boolean
  exit: (code: number) => void
}
