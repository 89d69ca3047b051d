import { Session } from 'node:inspector'

/** What the inspector tells unasked. */
export interface InspectorEvent {
  readonly method: string
  readonly params: unknown
}

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
    this.#session.onEvent = onEvent
    try {
      this.post('Debugger.enable', {})
      call()
    } finally {
      this.post('Debugger.disable', {})
      this.#session.onEvent = undefined
    }
  }
}
