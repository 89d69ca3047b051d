/** Processes that benchmarks start, and end. */
import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { MissingError } from './systems/system.ts'

/** Long enough for the slowest start on a busy machine. */
const START_TIMEOUT_MS = 30_000

/** What is still running. A benchmark that fails, or Ctrl-C, leaves nothing behind. */
const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Path of a file in the folder of children, for `node`. */
export function childFile(name: string): string {
  return new URL(`children/${name}`, import.meta.url).pathname
}

/** @throws {MissingError} when there is no such program */
export async function start(
  file: string,
  args: readonly string[],
  options: SpawnOptions = {}
): Promise<ChildProcess> {
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'], ...options })
  const failed = once(child, 'error').then(([error]: unknown[]) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new MissingError(`${file} is not installed`)
    throw error
  })
  await Promise.race([once(child, 'spawn'), failed])
  failed.catch(() => undefined)
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}

/** Ends a process that {@link start} started, and waits until it is gone. */
export async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill(signal)
  const timer = setTimeout(() => child.kill('SIGKILL'), 15_000)
  await exited
  clearTimeout(timer)
}

/** The lines of a process, one at a time, as they are asked for. */
export class Lines {
  readonly #iterator: AsyncIterator<string>
  readonly #what: string

  constructor(stream: Readable | null, what: string) {
    if (stream === null) throw new Error(`${what}: no output to read`)
    this.#iterator = createInterface({ input: stream })[Symbol.asyncIterator]()
    this.#what = what
  }

  async next(): Promise<string> {
    const line = await this.#iterator.next()
    if (line.done === true) throw new Error(`${this.#what} ended without an answer`)
    return line.value
  }

  /** Skips lines up to one that matches. */
  async find(pattern: RegExp, timeoutMs = START_TIMEOUT_MS): Promise<RegExpExecArray> {
    const { promise: late, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(
      () => reject(new Error(`${this.#what}: nothing like ${pattern} within ${timeoutMs / 1000} s`)),
      timeoutMs
    )
    try {
      for (;;) {
        const match = pattern.exec(await Promise.race([this.next(), late]))
        if (match !== null) return match
      }
    } finally {
      clearTimeout(timer)
    }
  }
}

/** A port of the loopback interface that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port was given')
  return address.port
}
