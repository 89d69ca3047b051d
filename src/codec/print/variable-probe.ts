import { url as debuggerUrl } from 'node:inspector'
import type { ClosureInspector, RemoteValue } from './closure-inspector.ts'
import type { InspectorSession, Pause } from './inspector-session.ts'
import { hasVariable } from '../source/site.ts'

/** No variable of a program holds this text. */
const MARK = 'dist-node: is this the same variable?'

/** Under this name a function is called: ending a call goes no further only out of what the inspector evaluates. */
const CALLED = 'distNodeProbe'

/**
 * Finds out whether closures share a variable. V8 shows the values of a closure's scopes and not which scopes they are, so a
 * mark is put into the variable of one closure and looked for in the others. That is possible only where execution stands
 * still inside that closure: it is called, stopped before its first statement and ended there. Nothing of its body runs.
 */
export class VariableProbe {
  readonly #session: InspectorSession
  readonly #inspector: ClosureInspector
  #stops: boolean | undefined

  constructor(session: InspectorSession, inspector: ClosureInspector) {
    this.#session = session
    this.#inspector = inspector
  }

  /**
   * Which of other closures has the same variable as a closure.
   *
   * @returns its index, or -1 for none; undefined when V8 cannot be stopped at the beginning of the closure, as in a generator
   */
  find(fn: Function, name: string, others: readonly Function[]): number | undefined {
    // Whoever debugs this process would be stopped with it.
    if (isDebugged() || !canStopIn(fn)) return undefined
    this.#stops ??= this.#stopsInOwn()
    if (!this.#stops) return undefined
    let found: number | undefined
    this.#enter(fn, (pause) => (found ??= this.#lookFor(pause, name, others)))
    return found
  }

  /** Whether V8 stops in this process at all is tried out on a function of our own, before one of the program is called. */
  #stopsInOwn(): boolean {
    let stopped = false
    let ran = false
    const own = (): void => void (ran = true)
    this.#enter(own, () => (stopped = true))
    return stopped && !ran
  }

  /** Calls a function, stops it before its first statement, and ends it there. */
  #enter(fn: Function, onStopped: (pause: Pause) => void): void {
    const onPaused = (pause: Pause): void => {
      try {
        onStopped(pause)
      } finally {
        this.#session.post('Debugger.resume', { terminateOnResume: true })
      }
    }
    this.#session.debug(onPaused, () => this.#call(fn))
  }

  #call(fn: Function): void {
    const objectId = this.#inspector.identify(fn)
    const { breakpointId } = this.#session.post<{ breakpointId: string }>(
      'Debugger.setBreakpointOnFunctionCall',
      {
        objectId
      }
    )
    Object.defineProperty(globalThis, CALLED, {
      value: () => Reflect.apply(fn, undefined, []),
      configurable: true
    })
    try {
      this.#session.post('Runtime.evaluate', { expression: `${CALLED}()`, silent: true })
    } catch {
      // Ended, as it should be.
    }
    Reflect.deleteProperty(globalThis, CALLED)
    this.#session.post('Debugger.removeBreakpoint', { breakpointId })
  }

  #lookFor({ callFrames }: Pause, name: string, others: readonly Function[]): number | undefined {
    const [frame] = callFrames
    for (const [scopeNumber, { type, object }] of (frame?.scopeChain ?? []).entries()) {
      const old = type === 'global' ? undefined : this.#valueIn(object.objectId, name)
      if (frame === undefined || old === undefined) continue
      const at = { scopeNumber, variableName: name, callFrameId: frame.callFrameId }
      this.#session.post('Debugger.setVariableValue', { ...at, newValue: { value: MARK } })
      try {
        return others.findIndex((other) => this.#holdsMark(other, name))
      } finally {
        this.#session.post('Debugger.setVariableValue', { ...at, newValue: old })
      }
    }
    return undefined
  }

  #valueIn(objectId: string, name: string): RemoteValue | undefined {
    const { result } = this.#session.post<{ result: readonly { name: string; value?: RemoteValue }[] }>(
      'Runtime.getProperties',
      { objectId, ownProperties: true }
    )
    const variable = result.find((each) => each.name === name)?.value
    if (variable === undefined) return undefined
    const { objectId: id, value, unserializableValue } = variable
    if (id !== undefined) return { objectId: id }
    return unserializableValue === undefined ? { value } : { unserializableValue }
  }

  #holdsMark(fn: Function, name: string): boolean {
    const { scopes } = this.#inspector.inspect(fn)
    const scope = scopes.find((each) => hasVariable([each], name))
    return scope !== undefined && Object.getOwnPropertyDescriptor(scope, name)?.value === MARK
  }
}

function isDebugged(): boolean {
  try {
    return debuggerUrl() !== undefined
  } catch {
    // A process without the right to be debugged.
    return false
  }
}

/**
 * Functions whose first statement is the first thing that runs when they are called: no parameter has a default or is
 * taken apart, and no class inside is made before the statement at which V8 stops.
 */
function canStopIn(fn: Function): boolean {
  const text = Function.prototype.toString.call(fn)
  return SIMPLE_PARAMETERS.test(text) && !/\bclass\b/.test(text)
}

const SIMPLE_PARAMETERS =
  /^(?:async\s+)?(?:[\w$]+\s*=>|(?:function\b\s*[\w$]*|(?:[gs]et\s+)?(?:[\w$]+|\[[^\]]*\]))?\s*\([\w$\s,.]*\)\s*(?:=>|\{))/
