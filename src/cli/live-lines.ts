/** Moving lines at the bottom of a terminal, and lines that stay, which are written above them. */
import { stripVTControlCharacters } from 'node:util'
import type { createLogUpdate } from 'log-update'

const REDRAW_MS = 80

type LogUpdate = ReturnType<typeof createLogUpdate>
type Stream = NodeJS.WriteStream
type Write = Stream['write']

/** Text that waits to be written, so that thousands of results in a second do not mean thousands of redrawings. */
const MAX_WAITING = 64 * 1024

export class LiveLines implements Disposable {
  readonly #content: () => readonly string[]
  readonly #originals = new Map<Stream, Write>()
  /** Loaded only here, because without a terminal nobody needs it; until it is, nothing moves yet. */
  #draw: LogUpdate | undefined
  #timer: NodeJS.Timeout | undefined
  #disposed = false
  #waiting: { stream: Stream; text: string }[] = []
  #waitingSize = 0
  /** Somebody has written half a line: drawing would tear it apart. */
  #midLine = false

  /** From now on the lines are drawn anew several times a second, below whatever anybody writes. */
  constructor(content: () => readonly string[]) {
    this.#content = content
    for (const stream of [process.stderr, process.stdout].filter(({ isTTY }) => isTTY)) {
      this.#originals.set(stream, stream.write.bind(stream))
      stream.write = this.#intercept(stream) as Write
    }
    void this.#start()
  }

  [Symbol.dispose](): void {
    this.#disposed = true
    clearInterval(this.#timer)
    for (const [stream, write] of this.#originals) stream.write = write
    this.#clear()
    this.#flush()
    this.#draw?.done()
  }

  async #start(): Promise<void> {
    const { createLogUpdate } = await import('log-update')
    const write = this.#originals.get(process.stderr)
    if (this.#disposed || write === undefined) return
    this.#draw = createLogUpdate(Object.create(process.stderr, { write: { value: write } }) as Stream)
    this.#timer = setInterval(() => this.#tick(), REDRAW_MS)
  }

  /** What jobs files and libraries print goes the same way as our own lines. */
  #intercept(stream: Stream): (...args: Parameters<Write>) => boolean {
    return (chunk, ...rest) => {
      if (typeof chunk !== 'string') {
        this.#clear()
        this.#flush()
        return this.#originals.get(stream)!(chunk, ...rest)
      }
      this.#waiting.push({ stream, text: chunk })
      this.#waitingSize += chunk.length
      const done = rest.find((argument) => typeof argument === 'function')
      if (done !== undefined) queueMicrotask(() => done(null))
      if (this.#draw === undefined || this.#waitingSize > MAX_WAITING) {
        this.#clear()
        return this.#flush()
      }
      return true
    }
  }

  #tick(): void {
    if (this.#waiting.length > 0) {
      this.#clear()
      this.#flush()
    }
    if (!this.#midLine) this.#draw?.(this.#content().join('\n'))
  }

  #clear(): void {
    if (!this.#midLine) this.#draw?.clear()
  }

  #flush(): boolean {
    let isRoom = true
    for (const { stream, text } of this.#waiting) {
      isRoom = this.#originals.get(stream)!(text)
      // Hiding the cursor, say, leaves it where it is.
      if (stripVTControlCharacters(text) !== '') this.#midLine = !text.endsWith('\n')
    }
    this.#waiting = []
    this.#waitingSize = 0
    return isRoom
  }
}
