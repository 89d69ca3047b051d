import { cellIn } from '../read/cells.ts'
import { ClosureInspector } from './closure-inspector.ts'
import { type ConstructorParts, describeConstructor, isNative } from './constructor-parts.ts'
import { RefusalSignal, refuse } from '../errors.ts'
import type { InspectorSession } from './inspector-session.ts'
import { type MadeSite, MadeSites } from './made-sites.ts'
import type { BoundParts, Reader } from '../read/read.ts'
import { SharedState, SharingFound } from './shared-state.ts'
import { readVariable } from '../source/site.ts'
import { TAG } from '../tags.ts'
import type { ValueWriter } from './value-writer.ts'
import { VariableProbe } from './variable-probe.ts'
import { writeCell, writeClosed, writeConstructorParts } from './write-function.ts'

/** Writes functions and classes that jobs made. Runs in the worker process. */
export class MadeFunctions {
  readonly #inspector: ClosureInspector
  readonly #sites: MadeSites
  readonly #sharedState: SharedState
  /** Of which something cannot travel: their instances are plain data. */
  readonly #leftOut = new WeakSet<Function>()
  /** The outermost function in which something was refused. */
  #refused: Function | undefined

  constructor(reader: Reader, session: InspectorSession) {
    this.#inspector = new ClosureInspector(session)
    // Before any job is here.
    this.#inspector.open()
    this.#sites = new MadeSites(reader, this.#inspector)
    this.#sharedState = new SharedState(new VariableProbe(session, this.#inspector))
  }

  begin(): void {
    this.#sharedState.reset()
  }

  /** After an error: can the same value be written in another way? */
  beginAgain(error: unknown): boolean {
    const refused = this.#refused
    this.#refused = undefined
    this.#sharedState.restart()
    if (error instanceof SharingFound) return true
    if (!(error instanceof RefusalSignal) || refused === undefined || this.#leftOut.has(refused)) return false
    this.#leftOut.add(refused)
    return true
  }

  boundOf(fn: Function): BoundParts | undefined {
    return this.#inspector.inspectBound(fn)
  }

  canWriteClass(constructor: Function): boolean {
    if (this.#leftOut.has(constructor) || isNative(Function.prototype.toString.call(constructor)))
      return false
    return typeof this.#sites.find(constructor)?.described === 'object'
  }

  /** Private members of an instance could not be given to another. */
  canWriteInstance(value: object, constructor: Function): boolean {
    return this.canWriteClass(constructor) && this.#inspector.inspectPrivate(value).size === 0
  }

  write(fn: Function, encoder: ValueWriter): void {
    const site = this.#sites.find(fn) ?? refuseForeign()
    if (typeof site.described === 'string') return refuseOuter(site.described)
    const names = 'names' in site.described ? site.described.names : site.described
    this.#sharedState.add(site.sharing, fn)
    try {
      writeClosed(fn, encoder, () => this.#write(fn, site, names, encoder))
    } catch (error) {
      if (error instanceof RefusalSignal) this.#refused = fn
      throw error
    }
  }

  #write(
    fn: Function,
    { hash, start, sharing }: MadeSite,
    names: readonly string[],
    encoder: ValueWriter
  ): void {
    const { writer } = encoder
    const parts = describeMade(fn)
    const { scopes } = this.#inspector.inspect(fn)
    writer.tag(TAG.made)
    writer.array(parts === undefined ? 5 : 10)
    writer.bytes(Buffer.from(hash, 'hex'))
    writer.number(start)
    encoder.write(typeof fn.name === 'string' ? fn.name : '')
    const cells = names.map((name) => cellIn(scopes, name) ?? this.#sharedState.cellOf(sharing, fn, name))
    encoder.write(cells.some((cell) => cell !== undefined))
    writer.array(names.length)
    for (const [index, name] of names.entries()) {
      encoder.path.push({ captured: name })
      const value = readVariable(scopes, name)
      if (cells[index] === undefined) encoder.write(value)
      else writeCell(cells[index], value, encoder)
      encoder.path.pop()
    }
    if (parts === undefined) return
    writeConstructorParts(parts, encoder)
    encoder.write(Object.fromEntries(this.#inspector.inspectPrivate(fn)))
  }
}

/** What a made class or function has beyond its text and captured variables; undefined when that is nothing. */
export function describeMade(fn: Function): ConstructorParts | undefined {
  const text = Function.prototype.toString.call(fn)
  const known = { text, unit: { name: fn.name }, length: fn.length }
  if (!text.startsWith('class')) return describeConstructor(fn, { ...known, class: undefined })
  return describeConstructor(fn, {
    ...known,
    class: {
      parentName: /^class\b[^{]*\bextends\b/.test(text) ? '' : undefined,
      staticMembers: hiddenKeys(fn),
      instanceMembers: hiddenKeys(fn.prototype as object),
      hasComputedMembers: false
    }
  })
}

/** What the body of a class makes methods and accessors of; values of its statics can be listed. */
function hiddenKeys(owner: object): ReadonlySet<string> {
  return new Set(
    Object.entries(Object.getOwnPropertyDescriptors(owner))
      .filter(([, { enumerable }]) => enumerable !== true)
      .map(([key]) => key)
  )
}

function refuseForeign(): never {
  return refuse(
    'function',
    'a function that a package made, or that was made of a text, exists only where the job ran',
    'return data, or a function of your own that calls it'
  )
}

function refuseOuter(outer: string): never {
  return refuse(
    'function',
    `a function made while the job ran uses the ${outer} of the code around it, which cannot be taken along`,
    'put what it needs into a variable, as in `const { size } = this`'
  )
}
