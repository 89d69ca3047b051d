/** Moving lines at the bottom of a terminal, and lines that stay, which are written above them. */
import type { createLogUpdate } from 'log-update'

const REDRAW_MS = 80

type LogUpdate = ReturnType<typeof createLogUpdate>
type Stream = NodeJS.WriteStream
type Write = Stream['write']

/** Text that waits to be written, so that thousands of results in a second do not mean thousands of redrawings. */
const MAX_WAITING = 64 * 1024

export class LiveLines implements Disposable {
  readonly #draw: LogUpdate
  readonly #content: () => readonly string[]
  readonly #timer: NodeJS.Timeout
  readonly #originals = new Map<Stream, Write>()
  #waiting: { stream: Stream; text: string }[] = []
  #waitingSize = 0
  /** Somebody has written half a line: drawing would tear it apart. */
  #midLine = false

  private constructor(create: typeof createLogUpdate, content: () => readonly string[]) {
    this.#content = content
    for (const stream of [process.stderr, process.stdout].filter(({ isTTY }) => isTTY)) {
      this.#originals.set(stream, stream.write.bind(stream))
      stream.write = this.#intercept(stream) as Write
    }
    const write = this.#originals.get(process.stderr)!
    this.#draw = create(Object.create(process.stderr, { write: { value: write } }) as Stream)
    this.#timer = setInterval(() => this.#tick(), REDRAW_MS)
  }

  /** From now on the lines are drawn anew several times a second, below whatever anybody writes. */
  static async start(content: () => readonly string[]): Promise<LiveLines> {
    // Loaded here because without a terminal nobody needs it.
    const { createLogUpdate } = await import('log-update')
    return new LiveLines(createLogUpdate, content)
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    for (const [stream, write] of this.#originals) stream.write = write
    this.#clear()
    this.#flush()
    this.#draw.done()
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
      if (this.#waitingSize > MAX_WAITING) {
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
    if (!this.#midLine) this.#draw(this.#content().join('\n'))
  }

  #clear(): void {
    if (!this.#midLine) this.#draw.clear()
  }

  #flush(): boolean {
    let isRoom = true
    for (const { stream, text } of this.#waiting) {
      isRoom = this.#originals.get(stream)!(text)
      this.#midLine = !text.endsWith('\n')
    }
    this.#waiting = []
    this.#waitingSize = 0
    return isRoom
  }
}
