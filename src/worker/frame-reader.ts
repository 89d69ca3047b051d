import { WorkerFrameError } from './errors.ts'

/** Frames up to this size are collected in one buffer that is used again and again. */
const SCRATCH_BYTES = 256 * 1024

/**
 * Cuts a pipe into frames: u32 big-endian length, then that many bytes, the first of them the frame's type.
 *
 * The bytes are read by the kernel straight into place: `target()` says where the next ones belong. Small frames
 * share a buffer and are copied out together, once per read; a large frame is read into memory of its own, which then
 * is the frame, so that a 64 MiB argument or result is never copied.
 */
export class FrameReader {
  readonly #maxBytes: number
  readonly #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES)
  #scratchEnd = 0
  #large: Buffer | undefined
  #largeEnd = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Where the next bytes of the pipe go. */
  target(): Buffer {
    return this.#large === undefined
      ? this.#scratch.subarray(this.#scratchEnd)
      : this.#large.subarray(this.#largeEnd)
  }

  /**
   * Takes note of `count` bytes read into `target()`, and gives the frames complete with them, without their length.
   *
   * @throws {WorkerFrameError} when a frame says it is empty or larger than the limit: before memory is taken for it
   */
  advance(count: number): Uint8Array[] {
    if (this.#large !== undefined) {
      this.#largeEnd += count
      if (this.#largeEnd < this.#large.length) return []
      const frame = this.#large
      this.#large = undefined
      return [frame]
    }
    this.#scratchEnd += count
    return this.#cut()
  }

  /** Bytes of a frame that never became complete. */
  get unfinishedBytes(): number {
    return this.#large === undefined ? this.#scratchEnd : this.#largeEnd
  }

  #cut(): Uint8Array[] {
    const scratch = this.#scratch
    const end = this.#scratchEnd
    const lengths: number[] = []
    let next = 0
    let length = 0
    while (end - next >= 4) {
      length = scratch.readUInt32BE(next)
      if (length === 0 || length > this.#maxBytes) {
        throw new WorkerFrameError(`frame of ${length} bytes: expected 1 to ${this.#maxBytes}`)
      }
      if (end - next - 4 < length) break
      lengths.push(length)
      next += 4 + length
    }
    const frames = copyFrames(scratch, lengths, next)
    this.#keepRest(next, end, length)
    return frames
  }

  /** What is left after the last complete frame moves to the front, or into memory of its own when it is large. */
  #keepRest(start: number, end: number, length: number): void {
    const rest = end - start
    if (rest >= 4 && 4 + length > SCRATCH_BYTES) {
      this.#large = Buffer.allocUnsafeSlow(length)
      this.#largeEnd = this.#scratch.copy(this.#large, 0, start + 4, end)
      this.#scratchEnd = 0
      return
    }
    if (rest > 0 && start > 0) this.#scratch.copyWithin(0, start, end)
    this.#scratchEnd = rest
  }
}

/** One copy for all complete frames of a read: the shared buffer is overwritten by the next one. */
function copyFrames(scratch: Buffer, lengths: number[], end: number): Uint8Array[] {
  if (lengths.length === 0) return []
  const copy = Buffer.allocUnsafeSlow(end)
  scratch.copy(copy, 0, 0, end)
  const frames: Uint8Array[] = []
  let at = 0
  for (const length of lengths) {
    frames.push(copy.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  return frames
}
