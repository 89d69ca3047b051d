// Runs in the worker process.
import { words } from '../words.ts'
import { Readable } from 'node:stream'
import type { Writable } from 'node:stream'
import { replace } from './builtins.ts'
import { denialOf } from './denial.ts'

/** What of `process` a job may have: facts about the runtime, clocks, ticks and events. The rest is refused or absent. */
const ALLOWED = new Set(
  words(`
  version versions arch platform release config features pid title execPath hrtime nextTick
  memoryUsage cpuUsage threadCpuUsage resourceUsage uptime constrainedMemory availableMemory cwd
  emitWarning exitCode noDeprecation throwDeprecation traceDeprecation allowedNodeEnvironmentFlags
  sourceMapsEnabled getuid geteuid getgid getegid getgroups getActiveResourcesInfo permission moduleLoadList
  hasUncaughtExceptionCaptureCallback ref unref finalization domain argv0 _events _eventsCount
  _maxListeners _exiting _tickCallback _fatalException
`)
)

/** Takes from `process` what reaches outside this process, and what tells about the machine's user. */
export function reduceProcess(
  getBuiltinModule: (id: string) => unknown,
  streams: { readonly stdout: Writable; readonly stderr: Writable }
): void {
  for (const key of Object.getOwnPropertyNames(process)) {
    if (ALLOWED.has(key)) continue
    const descriptor = Object.getOwnPropertyDescriptor(process, key)
    const isFunction = typeof descriptor?.value === 'function'
    replace(process, key, isFunction ? denialOf(`process.${key}`, undefined) : undefined)
  }
  replace(process, 'env', {})
  replace(process, 'argv', ['node'])
  replace(process, 'execArgv', [])
  replace(process, 'execPath', 'node')
  replace(process, 'stdout', streams.stdout)
  replace(process, 'stderr', streams.stderr)
  replace(process, '_rawDebug', (...words: unknown[]) => streams.stderr.write(`${words.join(' ')}\n`))
  replace(process, 'getBuiltinModule', getBuiltinModule)
  Object.defineProperty(process, 'stdin', { get: () => Readable.from([]), configurable: true })
}
