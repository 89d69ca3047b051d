import { Session } from 'node:inspector'

/** V8's inspector in this thread, which answers within the call: no port is opened and no debugger attached. */
export class InspectorSession {
  readonly #session = new Session()
  #connected = false

  // The answers of the protocol have types of its own, which only the caller knows.
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
  post<Answer>(method: string, parameters: object): Answer {
    if (!this.#connected) {
      this.#session.connect()
      this.#connected = true
    }
    let answer: Answer | undefined
    let failure: Error | null = null
    // The session of the same thread calls back before it returns.
    this.#session.post(method, parameters, (error: Error | null, result?: object) => {
      failure = error
      answer = result as Answer
    })
    if (failure !== null) throw failure
    return answer as Answer
  }

  /** Turns the debugger on for the time of a call, which is told of every script of this process first. */
  withScripts(call: (scripts: ReadonlyMap<string, string>) => void): void {
    const urls = new Map<string, string>()
    const onParsed = ({ params }: { params: { scriptId: string; url: string } }): void => {
      urls.set(params.scriptId, params.url)
    }
    this.#session.on('Debugger.scriptParsed', onParsed)
    try {
      this.post('Debugger.enable', {})
      call(urls)
    } finally {
      this.#session.off('Debugger.scriptParsed', onParsed)
      this.post('Debugger.disable', {})
    }
  }
}
