import { types } from 'node:util'

/** A frame of Node's own, which only the runner of jobs called. */
const RUNTIME_FRAME = /^\s+at .*(?:\(|\s)node:(?:internal|vm|events|timers|async_hooks)\b/

/**
 * Takes our own frames out of the stack of an error a job threw, of its causes and of the parts of an AggregateError, so
 * that it shows the user's files alone. Runs in the worker process, before the error is printed.
 *
 * @param ownFiles what our frames are named after, such as the file name of the worker's script
 */
export function trimStack(error: unknown, ownFiles: readonly string[]): void {
  trim(error, ownFiles, new Set())
}

function trim(error: unknown, ownFiles: readonly string[], seen: Set<unknown>): void {
  if (!types.isNativeError(error) || seen.has(error)) return
  seen.add(error)
  const { stack } = error
  if (typeof stack === 'string') {
    const lines = stack.split('\n')
    const kept = lines.filter((line) => !isFrame(line) || !isOurs(line, ownFiles))
    if (kept.length < lines.length) redefineStack(error, kept.join('\n'))
  }
  trim(error.cause, ownFiles, seen)
  const parts: unknown = Reflect.get(error, 'errors')
  if (Array.isArray(parts)) for (const part of parts) trim(part, ownFiles, seen)
}

function isFrame(line: string): boolean {
  return /^\s+at /.test(line)
}

function isOurs(line: string, ownFiles: readonly string[]): boolean {
  return RUNTIME_FRAME.test(line) || ownFiles.some((file) => line.includes(file))
}

function redefineStack(error: Error, stack: string): void {
  // A frozen error keeps its stack: better one frame too many than a second error.
  Reflect.defineProperty(error, 'stack', {
    value: stack,
    writable: true,
    enumerable: false,
    configurable: true
  })
}
