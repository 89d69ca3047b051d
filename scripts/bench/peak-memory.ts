import { readFileSync } from 'node:fs'

/**
 * The most memory this process has had, in MB: the kernel's own count of this program. `resourceUsage()` begins with that
 * of the process that started it.
 */
export function peakMb(): number {
  try {
    const [, kb] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
    if (kb !== undefined) return Number(kb) / 1024
  } catch {
    // not Linux
  }
  return process.resourceUsage().maxRSS / 1024
}
