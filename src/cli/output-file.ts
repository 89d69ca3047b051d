/** A file that lines go to while a command works. */
import { once } from 'node:events'
import { createWriteStream, type WriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { EXIT, ExitError } from './exit.ts'
import { systemReason } from './system-reason.ts'

/** Every piece is handed to the system at once: what is there is there, whatever happens next. */
export class OutputFile {
  readonly #path: string
  readonly #stream: WriteStream
  #failure: ExitError | undefined

  private constructor(path: string, stream: WriteStream) {
    this.#path = path
    this.#stream = stream
    stream.on('error', (error) => (this.#failure ??= this.#explain(error)))
  }

  /** @throws {ExitError} when it cannot be written */
  static async open(path: string): Promise<OutputFile> {
    const file = new OutputFile(path, createWriteStream(path))
    await once(file.#stream, 'open').catch((error: unknown) => {
      throw file.#explain(error as Error)
    })
    return file
  }

  /** What went wrong so far: a full disk, say. From then on nothing is written. */
  get failure(): ExitError | undefined {
    return this.#failure
  }

  /** @returns whether there is room for more; else {@link OutputFile.room} waits for it */
  write(text: string): boolean {
    return this.#failure !== undefined || this.#stream.write(text)
  }

  /** @throws {ExitError} when the file cannot be written any more */
  async room(): Promise<void> {
    if (this.#failure === undefined && this.#stream.writableNeedDrain)
      await once(this.#stream, 'drain').catch(() => undefined)
    if (this.#failure !== undefined) throw this.#failure
  }

  /** @throws {ExitError} when not all of it could be written */
  async close(): Promise<void> {
    await finished(this.#stream.end()).catch(() => undefined)
    if (this.#failure !== undefined) throw this.#failure
  }

  #explain(cause: Error): ExitError {
    return new ExitError(EXIT.usage, `${this.#path} cannot be written: ${systemReason(cause)}`, { cause })
  }
}
