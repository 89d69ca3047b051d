import type { Closure, ClosureInspector } from './closure-inspector.ts'
import { Pending } from './pending.ts'
import type { Site } from '../source/site.ts'
import { type ForeignSite, isForeign, type SiteAnalyser } from '../source/site-analyser.ts'

/** What was seen in the functions of one value, which may take several passes to write. */
export type KnownClosures = Map<Function, Closure>

interface KnownFunction {
  readonly closure: Closure
  readonly site: Site | ForeignSite
}

/** Looks into functions of this process, each once for a value, and has the site of each analysed once for all. */
export class KnownFunctions {
  readonly #inspector: ClosureInspector
  readonly #analyser: SiteAnalyser
  readonly #sites = new Map<string, Site | ForeignSite>()
  #closures: KnownClosures | undefined
  /** Functions that capture nothing that changes, as most helpers are: looked into once. */
  readonly #constants = new WeakMap<Function, Closure>()

  constructor(inspector: ClosureInspector, analyser: SiteAnalyser) {
    this.#inspector = inspector
    this.#analyser = analyser
  }

  /**
   * Begins a value. The closures of one that is begun again are known already: what they captured is taken once, however
   * long it takes to find out the rest.
   */
  begin(closures: KnownClosures | undefined): void {
    this.#closures = closures
  }

  /** Of the value begun last. Made when a function is met: most values hold none. */
  get closures(): KnownClosures {
    return (this.#closures ??= new Map())
  }

  /** Remembers for ever what was seen in a function. */
  keep(fn: Function, closure: Closure): void {
    this.#constants.set(fn, closure)
  }

  /** @throws {Pending} when its site has to be analysed first */
  look(fn: Function, text: string): KnownFunction {
    const closure = this.#constants.get(fn) ?? this.closures.get(fn) ?? this.#inspector.inspect(fn)
    this.closures.set(fn, closure)
    const { location } = closure
    // The length tells a method apart from the class that begins at the same place.
    const key = `${location?.scriptId}:${location?.line}:${location?.column}:${text.length}`
    const site = this.#sites.get(key) ?? this.#analyse(key, fn, text, closure)
    if (isForeign(site) || this.#analyser.isCurrent(site)) return { closure, site }
    // oxlint-disable-next-line typescript/only-throw-error
    throw new Pending(async () => {
      this.#sites.set(key, await this.#analyser.relink(site))
    })
  }

  #analyse(key: string, fn: Function, text: string, closure: Closure): never {
    // oxlint-disable-next-line typescript/only-throw-error
    throw new Pending(async () => {
      this.#sites.set(key, await this.#analyser.analyse(fn, text, closure))
    })
  }
}
