import { types } from 'node:util'
import { cellIn } from '../read/cells.ts'
import { checkKey, type ComputedKeys, findKey } from './class-keys.ts'
import type { Closure, ClosureInspector } from './closure-inspector.ts'
import { type ConstructorParts, describeConstructor } from './constructor-parts.ts'
import type { Identities } from '../identity.ts'
import type { SharedState } from './shared-state.ts'
import { hasVariable, readVariable, type Site } from '../source/site.ts'
import type { SiteAnalyser } from '../source/site-analyser.ts'
import { sharingOf } from './site-sharing.ts'
import { TAG } from '../tags.ts'
import type { ValueWriter } from './value-writer.ts'
import { writeCell, writeClosed, writeConstructorParts } from './write-function.ts'

/** Writes functions whose sites are known: the unit by its hash, and what the closure captured. */
export class SiteWriter {
  readonly #inspector: ClosureInspector
  readonly #sharedState: SharedState
  readonly #analyser: SiteAnalyser
  readonly #identities: Identities
  readonly #onCapture: (bytes: number) => void
  readonly #variants = new WeakMap<Site, Map<string, Site>>()

  constructor(
    inspector: ClosureInspector,
    sharedState: SharedState,
    analyser: SiteAnalyser,
    identities: Identities,
    onCapture: (bytes: number) => void
  ) {
    this.#inspector = inspector
    this.#sharedState = sharedState
    this.#analyser = analyser
    this.#identities = identities
    this.#onCapture = onCapture
  }

  /** Begins a value. */
  begin(): void {
    this.#sharedState.reset()
  }

  /** Begins the value begun last once more, after some of its functions turned out to share variables. */
  beginAgain(): void {
    this.#sharedState.restart()
  }

  /**
   * @returns the units it needs
   * @throws {SharingFound} when it shares a variable with another function of the value
   */
  write(fn: Function, closure: Closure, site: Site, encoder: ValueWriter): readonly string[] {
    this.#sharedState.add(sharingOf(site), fn)
    const variant = this.#variantOf(site, fn, closure)
    writeClosed(fn, encoder, () => this.#writeSite(fn, closure, variant, encoder))
    return variant.hashes
  }

  /** The site as it is in this value: with cells for the variables that functions of the value share. */
  #variantOf(site: Site, fn: Function, { scopes }: Closure): Site {
    const { captured, keys } = site.unit
    const sharing = sharingOf(site)
    const isShared = (name: string): boolean =>
      cellIn(scopes, name) !== undefined || this.#sharedState.cellOf(sharing, fn, name) !== undefined
    const cells = captured.slice(keys).filter(isShared)
    if (cells.length === 0) return site
    const variants = this.#variants.get(site) ?? new Map<string, Site>()
    this.#variants.set(site, variants)
    const key = cells.join()
    const variant = variants.get(key) ?? this.#analyser.withCells(site, cells)
    variants.set(key, variant)
    return variant
  }

  #writeSite(fn: Function, closure: Closure, site: Site, encoder: ValueWriter): void {
    const more = describeConstructor(fn, site)
    if (more === undefined) this.#writeClosure(fn, closure, site, encoder)
    else this.#writeConstructor(fn, more, closure, site, encoder)
  }

  #writeClosure(fn: Function, closure: Closure, site: Site, encoder: ValueWriter): void {
    encoder.writer.tag(TAG.closure)
    encoder.writer.array(2)
    encoder.writer.bytes(site.hashBytes)
    this.#writeCaptured(fn, closure, site, encoder)
  }

  #writeCaptured(fn: Function, { scopes }: Closure, site: Site, encoder: ValueWriter): void {
    const sharing = sharingOf(site)
    const { captured, privateStatics, keys = 0 } = site.unit
    encoder.writer.array(captured.length + privateStatics.length)
    for (const [index, name] of captured.entries()) {
      const before = encoder.writer.length
      encoder.path.push({ captured: name })
      const isKey = index < keys && site.class !== undefined
      const value = isKey ? readKey(fn, site.class.computedKeys, name, scopes) : readVariable(scopes, name)
      if (site.unit.cells?.includes(name) === true)
        writeCell(cellIn(scopes, name) ?? this.#sharedState.cellOf(sharing, fn, name), value, encoder)
      else encoder.write(selectMembers(value, site.membersOf.get(name)))
      this.#onCapture(encoder.writer.length - before)
      encoder.path.pop()
    }
    if (privateStatics.length === 0) return
    const values = this.#inspector.inspectPrivate(fn)
    for (const name of privateStatics) encoder.writeAt(`#${name}`, values.get(`#${name}`))
  }

  #writeConstructor(
    fn: Function,
    more: ConstructorParts,
    closure: Closure,
    site: Site,
    encoder: ValueWriter
  ): void {
    const { writer } = encoder
    // Instances made elsewhere come back as instances of this one.
    const makesInstances = site.class !== undefined || more.prototypeProperties.length > 0
    if (makesInstances || more.prototypeParent !== undefined) {
      writer.tag(TAG.identity)
      writer.array(2)
      writer.number(this.#identities.of(fn))
    }
    writer.tag(TAG.constructor)
    writer.array(6)
    writer.bytes(site.hashBytes)
    this.#writeCaptured(fn, closure, site, encoder)
    writeConstructorParts(more, encoder)
  }
}

/** What names a member of a class: it is read of the class where only the making of the class used the variable. */
function readKey(fn: Function, keys: ComputedKeys, name: string, scopes: Closure['scopes']): unknown {
  const value = hasVariable(scopes, name) ? readVariable(scopes, name) : findKey(fn, keys, name)
  checkKey(fn, keys, name, value)
  return value
}

/** Of a module's namespace only what is used; anything else as it is. */
function selectMembers(value: unknown, members: ReadonlySet<string> | undefined): unknown {
  if (members === undefined || !types.isModuleNamespaceObject(value)) return value
  const namespace = value as Record<string, unknown>
  return Object.fromEntries(
    [...members].filter((name) => name in namespace).map((name) => [name, namespace[name]])
  )
}
