import { refuse } from './errors.ts'
import { findDeclaration } from './file-scopes.ts'
import type { Site } from './site.ts'

/**
 * Watches for variables that one function changes and another sees. A captured variable travels by value, a copy for each
 * function, so that the change would be seen here and not there: a wrong answer. Two closures of one site are taken for
 * closures with variables of their own, as a loop or a factory makes them.
 */
export class SharedState {
  readonly #sites = new Map<string, Set<Site>>()
  readonly #declarations = new WeakMap<Site, Map<string, number | undefined>>()

  /** Forgets the functions of one value. */
  reset(): void {
    if (this.#sites.size > 0) this.#sites.clear()
  }

  /** Takes note of a function of the value being printed. */
  add(site: Site): void {
    for (const name of site.unit.captured) {
      const key = `${site.unit.file} ${name}`
      const sites = this.#sites.get(key) ?? new Set()
      this.#sites.set(key, sites)
      if (sites.has(site)) continue
      for (const other of sites) this.#compare(site, other, name)
      sites.add(site)
    }
  }

  #compare(site: Site, other: Site, name: string): void {
    if (!site.writes.includes(name) && !other.writes.includes(name)) return
    const declaration = this.#declarationOf(site, name)
    if (declaration === undefined || declaration !== this.#declarationOf(other, name)) return
    const [one, two] = [nameOf(other), nameOf(site)]
    refuse(
      'shared variable',
      `${one} and ${two} share the variable ${name}, which changes, and each would get a copy of it`,
      `keep it in an object that both use, as in \`const state = { ${name} }\``
    )
  }

  #declarationOf(site: Site, name: string): number | undefined {
    const known = this.#declarations.get(site) ?? new Map<string, number | undefined>()
    this.#declarations.set(site, known)
    if (!known.has(name))
      known.set(name, site.start === -1 ? undefined : findDeclaration(site.file, site.start, name))
    return known.get(name)
  }
}

function nameOf({ unit }: Site): string {
  return unit.name === '' ? `the function at line ${unit.line + 1}` : unit.name
}
