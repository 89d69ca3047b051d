import type { InspectorSession } from './inspector-session.ts'

export interface Location {
  readonly scriptId: string
  /** Counted from 0. */
  readonly line: number
  /** Counted from 0. */
  readonly column: number
}

/** The variables of one scope, innermost first in a list. Reading one that is not initialised yet throws a ReferenceError. */
export type Scope = Readonly<Record<string, unknown>>

export interface Closure {
  /** Absent for functions the runtime made itself. */
  readonly location: Location | undefined
  readonly scopes: readonly Scope[]
  /** Made by code of an ECMAScript module. */
  readonly isModule: boolean
}

interface ListedScope {
  readonly description: string
  readonly object: Scope
}

interface RemoteProperty {
  readonly name: string
  readonly value?: { readonly objectId?: string; readonly value?: unknown }
}

/** Names under which values pass between this module and the inspector, which knows them only by text. */
const DOOR = Symbol.for('dist-node.closure-inspector')
const GIVE = `globalThis[Symbol.for('dist-node.closure-inspector')].give()`
const TAKE = `function () { globalThis[Symbol.for('dist-node.closure-inspector')].take(this) }`

/** Remote objects held by the inspector before they are released. */
const RELEASE_EVERY = 500

/**
 * Looks into closures of this process through V8's own inspector, which answers within the call: no port is opened and
 * no debugger attached. `Runtime.getProperties` on a function yields `[[Scopes]]` and `[[FunctionLocation]]`
 * (https://chromedevtools.github.io/devtools-protocol/v8/Runtime/#method-getProperties).
 */
export class ClosureInspector {
  readonly #session: InspectorSession
  #held = 0

  constructor(session: InspectorSession) {
    this.#session = session
  }

  inspect(fn: Function): Closure {
    const properties = this.#internalProperties(fn)
    const location = properties.find(({ name }) => name === '[[FunctionLocation]]')?.value?.value
    const scopesId = properties.find(({ name }) => name === '[[Scopes]]')?.value?.objectId
    const list = scopesId === undefined ? [] : this.#scopes(scopesId)
    return {
      location: location === undefined ? undefined : readLocation(location),
      scopes: list.map(({ object }) => object),
      isModule: list.at(-1)?.description === 'Module'
    }
  }

  /** What `bind` was called with; undefined for a function that is not bound. */
  inspectBound(fn: Function): { target: Function; boundThis: unknown; args: unknown[] } | undefined {
    const properties = this.#internalProperties(fn)
    const part = (wanted: string) => properties.find(({ name }) => name === wanted)?.value
    const target = part('[[TargetFunction]]')?.objectId
    const args = part('[[BoundArgs]]')?.objectId
    const boundThis = part('[[BoundThis]]')
    if (target === undefined || args === undefined || boundThis === undefined) return undefined
    return {
      target: this.#take(target) as Function,
      boundThis: boundThis.objectId === undefined ? boundThis.value : this.#take(boundThis.objectId),
      args: [...(this.#take(args) as unknown[])]
    }
  }

  /** The private members of a class itself, by name with `#`. */
  inspectPrivate(target: object): Map<string, unknown> {
    const { privateProperties = [] } = this.#describe(target)
    return new Map(
      privateProperties.map(({ name, value }) => [
        name,
        value?.objectId === undefined ? value?.value : this.#take(value.objectId)
      ])
    )
  }

  #internalProperties(fn: Function): readonly RemoteProperty[] {
    return this.#describe(fn).internalProperties ?? []
  }

  #describe(value: object): { internalProperties?: RemoteProperty[]; privateProperties?: RemoteProperty[] } {
    if (++this.#held > RELEASE_EVERY) this.#release()
    door.given = value
    const { result } = this.#session.post<{ result: { objectId: string } }>('Runtime.evaluate', {
      expression: GIVE,
      objectGroup: 'closures'
    })
    door.given = undefined
    return this.#session.post('Runtime.getProperties', { objectId: result.objectId, ownProperties: true })
  }

  #scopes(scopesId: string): ListedScope[] {
    const list = Array.from(this.#take(scopesId) as ArrayLike<ListedScope>)
    // The last one is the global object, which is not captured.
    return list.filter(({ description }) => description !== 'Global')
  }

  #take(objectId: string): unknown {
    this.#session.post('Runtime.callFunctionOn', { objectId, functionDeclaration: TAKE, silent: true })
    const { taken } = door
    door.taken = undefined
    return taken
  }

  #release(): void {
    this.#held = 0
    this.#session.post('Runtime.releaseObjectGroup', { objectGroup: 'closures' })
  }
}

class Door {
  given: unknown
  taken: unknown

  give(): unknown {
    return this.given
  }

  take(value: unknown): void {
    this.taken = value
  }
}

// A program may hold this library twice, its own and that of the command: both use one door.
const door = (Reflect.get(globalThis, DOOR) ?? new Door()) as Door
Object.defineProperty(globalThis, DOOR, { value: door, configurable: true })

function readLocation(value: unknown): Location {
  const { scriptId, lineNumber, columnNumber } = value as {
    scriptId: string
    lineNumber: number
    columnNumber: number
  }
  return { scriptId, line: lineNumber, column: columnNumber }
}
