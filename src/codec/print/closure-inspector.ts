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

interface RemoteAnswer {
  readonly result: { readonly objectId: string }
}

interface RemoteProperty {
  readonly name: string
  readonly value?: RemoteValue
}

export interface RemoteValue {
  readonly objectId?: string
  readonly value?: unknown
  /** Of numbers JSON has no form for, and of BigInts, as they are written in JavaScript. */
  readonly unserializableValue?: string
}

/** What passes between this module and the inspector, which knows values by numbers of its own only. */
interface Door {
  given: unknown
  taken: unknown
}

const DOOR = 'distNodeDoor'
const GIVE = 'function () { return this.given }'
const TAKE = 'function (door) { door.taken = this }'

/** Remote objects held by the inspector before they are released. */
const RELEASE_EVERY = 500

/**
 * Looks into closures of this process through V8's own inspector, which answers within the call: no port is opened and
 * no debugger attached. `Runtime.getProperties` on a function yields `[[Scopes]]` and `[[FunctionLocation]]`
 * (https://chromedevtools.github.io/devtools-protocol/v8/Runtime/#method-getProperties).
 */
export class ClosureInspector {
  readonly #session: InspectorSession
  readonly #door: Door = Object.create(null, { given: { writable: true }, taken: { writable: true } })
  #doorId: string | undefined
  #held = 0

  constructor(session: InspectorSession) {
    this.#session = session
  }

  /** Makes ready to look into closures, which happens by itself when the first one is looked into. */
  open(): string {
    if (this.#doorId !== undefined) return this.#doorId
    // Seen by nobody: it is gone when this function returns.
    Object.defineProperty(globalThis, DOOR, { value: this.#door, configurable: true })
    const { result } = this.#session.post<RemoteAnswer>('Runtime.evaluate', { expression: DOOR })
    Reflect.deleteProperty(globalThis, DOOR)
    this.#doorId = result.objectId
    return result.objectId
  }

  /** Where the text of a function begins, give or take: V8 tells where its parameters do. */
  locate(fn: Function): Location | undefined {
    return locationIn(this.#internalProperties(fn))
  }

  inspect(fn: Function): Closure {
    const properties = this.#internalProperties(fn)
    const scopesId = properties.find(({ name }) => name === '[[Scopes]]')?.value?.objectId
    const list = scopesId === undefined ? [] : this.#scopes(scopesId)
    return {
      location: locationIn(properties),
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
      boundThis: this.#valueOf(boundThis),
      args: [...(this.#take(args) as unknown[])]
    }
  }

  /** The private members of a class itself, by name with `#`. */
  inspectPrivate(target: object): Map<string, unknown> {
    const { privateProperties = [] } = this.#describe(target)
    return new Map(privateProperties.map(({ name, value = {} }) => [name, this.#valueOf(value)]))
  }

  #valueOf({ objectId, value, unserializableValue: text }: RemoteValue): unknown {
    if (objectId !== undefined) return this.#take(objectId)
    if (text === undefined) return value
    return text.endsWith('n') ? BigInt(text.slice(0, -1)) : Number(text)
  }

  /** The inspector's number of a value, until the next few hundred were looked into. */
  identify(value: unknown): string {
    if (++this.#held > RELEASE_EVERY) this.#release()
    return this.#call(this.open(), GIVE, value).result.objectId
  }

  #internalProperties(fn: Function): readonly RemoteProperty[] {
    return this.#describe(fn).internalProperties ?? []
  }

  #describe(value: object): { internalProperties?: RemoteProperty[]; privateProperties?: RemoteProperty[] } {
    return this.#session.post('Runtime.getProperties', {
      objectId: this.identify(value),
      ownProperties: true
    })
  }

  #scopes(scopesId: string): ListedScope[] {
    const list = Array.from(this.#take(scopesId) as ArrayLike<ListedScope>)
    // The last one is the global object, which is not captured.
    return list.filter(({ description }) => description !== 'Global')
  }

  #take(objectId: string): unknown {
    this.#call(objectId, TAKE, undefined)
    const { taken } = this.#door
    this.#door.taken = undefined
    return taken
  }

  #call(objectId: string, functionDeclaration: string, given: unknown): RemoteAnswer {
    const door = this.open()
    this.#door.given = given
    const answer = this.#session.post<RemoteAnswer>('Runtime.callFunctionOn', {
      objectId,
      functionDeclaration,
      arguments: [{ objectId: door }],
      objectGroup: 'closures',
      silent: true
    })
    this.#door.given = undefined
    return answer
  }

  #release(): void {
    this.#held = 0
    this.#session.post('Runtime.releaseObjectGroup', { objectGroup: 'closures' })
  }
}

function locationIn(properties: readonly RemoteProperty[]): Location | undefined {
  const value = properties.find(({ name }) => name === '[[FunctionLocation]]')?.value?.value
  if (value === undefined) return undefined
  const { scriptId, lineNumber, columnNumber } = value as {
    scriptId: string
    lineNumber: number
    columnNumber: number
  }
  return { scriptId, line: lineNumber, column: columnNumber }
}
