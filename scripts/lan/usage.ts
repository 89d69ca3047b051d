/** What a process holds: to see whether it grows. */
import { readdirSync, readFileSync } from 'node:fs'
import { childrenOf } from './machine.ts'

export interface Usage {
  readonly residentMb: number
  /** Files, sockets and pipes. */
  readonly openFiles: number
  /** Its children, theirs not counted. */
  readonly children: number
}

/** @throws Error when there is no such process */
export function usageOf(pid: number): Usage {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const residentKb = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0)
  return {
    residentMb: Math.round(residentKb / 1024),
    openFiles: readdirSync(`/proc/${pid}/fd`).length,
    children: childrenOf(pid).length
  }
}
