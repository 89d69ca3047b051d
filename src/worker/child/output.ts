// Runs in the worker process: the one place that writes to its parent.
import { writeSync } from 'node:fs'
import { MAX_LOG_BYTES_PER_JOB, MAX_LOG_CHUNK_BYTES } from '../limits.ts'
import { encodeFromChild, encodeLog, encodeStarted, writeResultHeader } from '../messages.ts'

const RESULT_FD = 1

/** Results up to this size go out in one piece of memory with their header. */
const SMALL_RESULT_BYTES = 32 * 1024

// Taken before any job can change them.
const write = writeSync

/**
 * Every result is written at once, in a call that ends when the kernel has it. Nothing is kept back to be sent together:
 * what has been written survives a crash of this process, a following job that blocks it, and a SIGKILL; and the parent
 * knows from it which job runs now. On a pipe that costs 0.7 microseconds a result (a socket: 2.5 and a woken parent),
 * against 0.2 for collecting them, so there is nothing to win that would be worth a wrong accusation.
 */
export class Output {
  readonly #scratch = Buffer.allocUnsafeSlow(64 + SMALL_RESULT_BYTES)
  #logJob = -1
  #logBytes = 0

  ready(): void {
    writeAll(encodeFromChild('ready', new Uint8Array(0)))
  }

  hello(digest: Uint8Array): void {
    writeAll(encodeFromChild('hello', digest))
  }

  started(job: number): void {
    writeAll(encodeStarted(job))
  }

  result(job: number, ok: boolean, code: string, micros: number, body: Uint8Array): void {
    const scratch = this.#scratch
    const headerBytes = writeResultHeader(scratch, job, code, ok, micros, body.length)
    if (body.length > SMALL_RESULT_BYTES) {
      writeAll(scratch.subarray(0, headerBytes))
      writeAll(body)
      return
    }
    scratch.set(body, headerBytes)
    const length = headerBytes + body.length
    const written = write(RESULT_FD, scratch, 0, length)
    if (written < length) writeAll(scratch.subarray(written, length))
  }

  /** Text a job printed. Beyond the limit per job it is dropped, and the first loss is said. */
  log(job: number, stream: 'stdout' | 'stderr', text: string): void {
    if (job !== this.#logJob) {
      this.#logJob = job
      this.#logBytes = 0
    }
    if (this.#logBytes > MAX_LOG_BYTES_PER_JOB) return
    let bytes = Buffer.from(text)
    this.#logBytes += bytes.length
    if (this.#logBytes > MAX_LOG_BYTES_PER_JOB) {
      bytes = Buffer.from(`[output of this job beyond ${MAX_LOG_BYTES_PER_JOB} bytes is dropped]\n`)
    }
    for (let at = 0; at < bytes.length; at += MAX_LOG_CHUNK_BYTES) {
      writeAll(encodeLog(job, stream, bytes.subarray(at, at + MAX_LOG_CHUNK_BYTES)))
    }
  }
}

function writeAll(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += write(RESULT_FD, bytes, at, bytes.length - at)
}
