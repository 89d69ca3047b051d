import type { BlobMessage, JobsMessage } from '../../protocol/messages.ts'
import {
  MAX_HELD_BLOBS,
  MAX_HELD_BODY_BYTES,
  MAX_HELD_JOBS,
  MAX_HELD_RUN_BYTES,
  NAME_BYTES,
  ROW_BYTES
} from './held-limits.ts'
import { NumberSet } from './number-set.ts'

/**
 * The checks of one run while it is handed over: nothing is believed of what the submitter says. Runs in the holder;
 * keeps names and counts, no bodies.
 */
export class HeldIntake {
  readonly #blobs = new Set<string>()
  readonly #jobs = new NumberSet()
  #bytes: number

  /** @param bytes what came with the first message */
  constructor(bytes: number) {
    this.#bytes = bytes
  }

  get bytes(): number {
    return this.#bytes
  }

  get jobs(): number {
    return this.#jobs.size
  }

  hasBlob(hash: string): boolean {
    return this.#blobs.has(hash)
  }

  /** @returns why the run cannot be taken; `undefined`: so far it can */
  onBlob({ hash, bytes }: BlobMessage): string | undefined {
    this.#bytes += storedBytes([bytes], 1)
    this.#blobs.add(hash)
    if (bytes.length > MAX_HELD_BODY_BYTES) return tooLargeBody('a function')
    if (this.#blobs.size > MAX_HELD_BLOBS) return `more than ${count(MAX_HELD_BLOBS)} functions and modules`
    return this.#tooLarge()
  }

  onJobs(message: JobsMessage): string | undefined {
    const { head, blobs, jobs } = message
    this.#bytes += jobsBytes(message)
    const missing = [...(head === undefined ? [] : [head]), ...blobs].find((hash) => !this.#blobs.has(hash))
    if (missing !== undefined) return `jobs came before the code they need (blob ${missing.slice(0, 8)})`
    for (const { job, body } of jobs) {
      if (job >= MAX_HELD_JOBS) return `more than ${count(MAX_HELD_JOBS)} jobs`
      if (body.length > MAX_HELD_BODY_BYTES) return tooLargeBody(`job ${job}`)
      if (!this.#jobs.add(job)) return `job ${job} came twice`
    }
    return this.#tooLarge()
  }

  onEnd(jobs: number, setupBlobs: readonly string[]): string | undefined {
    const missing = setupBlobs.find((hash) => !this.#blobs.has(hash))
    if (missing !== undefined)
      return `the code of its setup function is missing (blob ${missing.slice(0, 8)})`
    // So many different numbers, none larger: all there.
    if (this.#jobs.size === jobs && this.#jobs.max < jobs) return undefined
    return `expected jobs 0 to ${jobs - 1}, got ${count(this.#jobs.size)} up to ${this.#jobs.max}`
  }

  #tooLarge(): string | undefined {
    if (this.#bytes <= MAX_HELD_RUN_BYTES) return undefined
    return `more than ${MAX_HELD_RUN_BYTES / 1024 ** 3} GiB of functions and arguments`
  }
}

/** What jobs take on the disk: their names are as many bytes as a peer likes to list. */
export function jobsBytes({ blobs, jobs }: JobsMessage): number {
  return storedBytes(
    jobs.map(({ body }) => body),
    1 + blobs.length
  )
}

/** @param names hashes, of 64 digits */
export function storedBytes(bodies: readonly Uint8Array[], names: number): number {
  return bodies.reduce((sum, { length }) => sum + length + ROW_BYTES, ROW_BYTES + names * NAME_BYTES)
}

function tooLargeBody(what: string): string {
  return `${what} has more than ${MAX_HELD_BODY_BYTES / 1024 ** 2} MiB with what it captures and its arguments`
}

function count(number: number): string {
  return number.toLocaleString('en')
}
