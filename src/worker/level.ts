import type { Host } from './host.ts'
import { NODE_DATA_MB, OPEN_FILES, OPEN_FILES_WITH_NET } from './limits.ts'

/** How strongly a worker process is held, strongest first. */
export const SANDBOX_LEVELS = ['bwrap', 'unshare', 'permission'] as const

export type SandboxLevel = (typeof SANDBOX_LEVELS)[number]

/** A command line that starts one worker process. */
export interface Command {
  readonly file: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

export interface LevelOptions {
  readonly allowNet: boolean
  /** Absolute folders, links followed. */
  readonly allowFsRead: readonly string[]
  readonly jobMemoryMb: number
  /** The bundled child entry. */
  readonly childFile: string
}

/** A level's command line on this machine, or one line saying why it cannot work here. */
export type LevelCommand = { command: Command } | { unavailable: string }

/** With the network allowed, names must be looked up: what the C library reads for it. */
export const NAME_LOOKUP_FILES = ['/etc/resolv.conf', '/etc/hosts', '/etc/nsswitch.conf', '/etc/gai.conf']

/**
 * Limits the kernel keeps: memory for data, open files, no core dumps (they would hold a submitter's data), no file may
 * grow. Empty where there is no `prlimit` (macOS): then buffers and WebAssembly memory are not limited.
 */
export function limitArguments(host: Host, options: LevelOptions): string[] {
  const prlimit = host.find('prlimit')
  if (prlimit === undefined) return []
  const dataBytes = (NODE_DATA_MB + options.jobMemoryMb) * 1024 * 1024
  const files = options.allowNet ? OPEN_FILES_WITH_NET : OPEN_FILES
  return [prlimit, `--data=${dataBytes}`, `--nofile=${files}`, '--core=0', '--fsize=0', '--']
}

/** A list of words as a command with an empty environment: what the node was started with is nobody else's business. */
export function toCommand(words: readonly string[]): Command {
  const [file, ...args] = words
  if (file === undefined) throw new RangeError('a command needs at least one word')
  return { file, args, env: {} }
}
