import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { closeSync } from 'node:fs'
import { Socket } from 'node:net'
import { getPriority, setPriority } from 'node:os'
import { WorkerFrameError } from './errors.ts'
import { FrameReader } from './frame-reader.ts'
import type { Command } from './level.ts'
import { KEPT_STDERR_BYTES, KILL_TIMEOUT_MS, MAX_STDERR_BYTES, WORKER_NICENESS } from './limits.ts'
import { makeResultPipe } from './result-pipe.ts'

/** How the process ended, and the end of what it wrote to its stderr. */
export interface ChildEnd {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly stderr: string
}

export interface LinkHandler {
  /**
   * Complete frames in order. Throwing means the child is not to be believed. True: more are coming so fast that the
   * next read may wait a millisecond and get them together.
   */
  frames(frames: readonly Uint8Array[]): boolean
  /** The child broke the rules of the pipe. It has been killed; `ended` follows. */
  violated(error: Error): void
  /** The process is gone and all it wrote has been handed over. */
  ended(end: ChildEnd): void
}

const FLOW_PAUSE_MS = 1

/** One child process and its pipes: frames in, frames out, and certainty about its end. */
export class ChildLink {
  readonly #child: ChildProcess
  readonly #results: Socket
  readonly #handler: LinkHandler
  readonly #reader: FrameReader
  #stderr = Buffer.alloc(0)
  #stderrBytes = 0
  #violated = false

  /** @throws when the command cannot be started at all */
  static start(command: Command, maxFrameBytes: number, handler: LinkHandler): ChildLink {
    const pipe = makeResultPipe()
    let child: ChildProcess
    try {
      child = spawn(command.file, command.args, {
        env: { ...command.env },
        stdio: ['pipe', pipe.writeFd, 'pipe']
      })
    } finally {
      closeSync(pipe.writeFd)
    }
    return new ChildLink(child, pipe.readFd, maxFrameBytes, handler)
  }

  private constructor(child: ChildProcess, readFd: number, maxFrameBytes: number, handler: LinkHandler) {
    this.#child = child
    this.#handler = handler
    this.#reader = new FrameReader(maxFrameBytes)
    const callback = (count: number): boolean => this.#read(count)
    const onread = { buffer: () => this.#reader.target(), callback }
    this.#results = new Socket({ fd: readFd, readable: true, writable: false, onread })
    this.#results.resume()
    if (child.pid !== undefined) lowerPriority(child.pid)
    child.stdin?.on('error', () => {}) // the child is gone: `close` tells
    child.stderr?.on('data', (chunk: Buffer) => this.#keepStderr(chunk))
    void this.#end()
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  write(pieces: readonly Uint8Array[]): void {
    const stdin = this.#child.stdin
    if (stdin === null || !stdin.writable) return
    if (pieces.length > 1) stdin.cork()
    for (const piece of pieces) stdin.write(piece)
    if (pieces.length > 1) stdin.uncork()
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  #read(count: number): boolean {
    if (this.#violated) return true // what it still says is drained and dropped
    try {
      const frames = this.#reader.advance(count)
      const flowing = frames.length > 0 && this.#handler.frames(frames)
      if (!flowing) return true
      // Results wait in the kernel, not in the child: they survive it, and it need not wake us for each.
      setTimeout(() => this.#results.resume(), FLOW_PAUSE_MS)
      return false
    } catch (error) {
      // Anything else is a mistake of the node's own, and must not be blamed on the child.
      if (!(error instanceof WorkerFrameError)) throw error
      this.#violate(error)
      return true
    }
  }

  #violate(error: Error): void {
    if (this.#violated) return
    this.#violated = true
    this.kill()
    this.#handler.violated(error)
  }

  #keepStderr(chunk: Buffer): void {
    this.#stderrBytes += chunk.length
    this.#stderr = Buffer.concat([this.#stderr, chunk]).subarray(-KEPT_STDERR_BYTES)
    if (this.#stderrBytes > MAX_STDERR_BYTES) {
      this.#violate(new Error(`more than ${MAX_STDERR_BYTES} bytes on stderr`))
    }
  }

  /**
   * The end is when the process is gone and its pipes are at their end: the last results are still in there, and with
   * bwrap or unshare in between, only the pipes tell that the process inside is gone too.
   */
  async #end(): Promise<void> {
    const resultsEnd = new Promise<void>((resolve) => this.#results.once('close', () => resolve()))
    this.#results.on('error', () => this.#results.destroy())
    const end = await new Promise<ChildEnd>((resolve) => {
      this.#child.once('error', (error) => resolve({ exitCode: null, signal: null, stderr: error.message }))
      this.#child.once('exit', () => {
        this.#results.resume()
        // A process that holds the pipes and does not die waits in the kernel; nobody can do more about it.
        setTimeout(() => this.#child.stderr?.destroy(), KILL_TIMEOUT_MS).unref()
      })
      this.#child.once('close', (exitCode, signal) => {
        resolve({ exitCode, signal, stderr: this.#stderr.toString('utf8') })
      })
    })
    this.#results.resume()
    const giveUp = setTimeout(() => this.#results.destroy(), KILL_TIMEOUT_MS)
    await resultsEnd
    clearTimeout(giveUp)
    this.#handler.ended(end)
  }
}

/** Set at once, before the command line forks: what it starts inherits it. Where it is refused, it is only a courtesy. */
function lowerPriority(pid: number): void {
  try {
    // Never less polite than the node itself, which root could be.
    setPriority(pid, Math.max(getPriority(), WORKER_NICENESS))
  } catch {
    // gone already, or not allowed
  }
}
