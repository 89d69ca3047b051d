import { Session } from 'node:inspector'

/** What the inspector tells unasked. */
export interface InspectorEvent {
  readonly method: string
  readonly params: unknown
}

/** Where execution stands still. */
export interface Pause {
  readonly callFrames: readonly {
    readonly callFrameId: string
    readonly scopeChain: readonly { readonly type: string; readonly object: { readonly objectId: string } }[]
  }[]
}

const STAYS_ON_MS = 1_000

// Taken before a job can change them.
const later = setTimeout
const clear = clearTimeout

/** Tells its owner, and nobody who changed the class of all emitters: who holds a session holds the whole process. */
class PrivateSession extends Session {
  onEvent: ((event: InspectorEvent) => void) | undefined

  override emit(name: string | symbol, ...[event]: unknown[]): boolean {
    if (name !== 'inspectorNotification') this.onEvent?.(event as InspectorEvent)
    return true
  }
}

/** V8's inspector in this thread, which answers within the call: no port is opened and no debugger attached. */
export class InspectorSession {
  readonly #session = new PrivateSession()
  readonly #post = this.#session.post.bind(this.#session)
  #isConnected = false
  #isDebugging = false
  #turningOff: NodeJS.Timeout | undefined

  connect(): void {
    if (this.#isConnected) return
    this.#session.connect()
    this.#isConnected = true
  }

  // The answers of the protocol have types of its own, which only the caller knows.
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
  post<Answer>(method: string, parameters: object): Answer {
    this.connect()
    let answer: Answer | undefined
    let failure: Error | null = null
    // The session of the same thread calls back before it returns.
    this.#post(method, parameters, (error: Error | null, result?: object) => {
      failure = error
      answer = result as Answer
    })
    if (failure !== null) throw failure
    return answer as Answer
  }

  /** Turns the debugger on for the time of a call. What it tells at once comes first: every script of this process. */
  withDebugger(onEvent: (event: InspectorEvent) => void, call: () => void): void {
    this.#turnOff()
    this.#session.onEvent = onEvent
    try {
      this.post('Debugger.enable', {})
      call()
    } finally {
      this.#turnOff()
    }
  }

  /** The same for calls that may come one after another: it stays on for a moment, for turning it on takes tens of milliseconds. */
  debug(onPaused: (pause: Pause) => void, call: () => void): void {
    clear(this.#turningOff)
    this.#session.onEvent = undefined
    if (!this.#isDebugging) this.post('Debugger.enable', {})
    this.#isDebugging = true
    this.#session.onEvent = ({ method, params }) => {
      if (method === 'Debugger.paused') onPaused(params as Pause)
    }
    try {
      call()
    } finally {
      // A `debugger` statement of the program means nothing to us.
      this.#session.onEvent = ({ method }) => {
        if (method === 'Debugger.paused') this.post('Debugger.resume', {})
      }
      this.#turningOff = later(() => this.#turnOff(), STAYS_ON_MS)
      this.#turningOff.unref()
    }
  }

  #turnOff(): void {
    clear(this.#turningOff)
    this.#session.onEvent = undefined
    this.#isDebugging = false
    this.post('Debugger.disable', {})
  }
}
