import { refuse } from '../errors.ts'
import { type Binding, findBinding } from '../source/file-scopes.ts'
import type { Site } from '../source/site.ts'

/** Thrown when functions of a value turn out to share a variable: it has to be written once more, with a cell for it. */
export class SharingFound {
  readonly variable: string

  constructor(variable: string) {
    this.variable = variable
  }
}

/** Stands for a variable of this process while a value is written. */
export interface Cell {
  readonly key: string
}

/**
 * Watches for variables that one function changes and another sees. Captured variables travel by value, a copy for each
 * function, so that the change would be seen here and not there: such a variable gets a cell, which its functions share.
 *
 * A variable of a module exists once. Of one declared in a function, only whoever called that function knows which of its
 * closures share it: closures of different sites are refused, and closures of one site are taken for closures with variables
 * of their own, as a loop or a factory makes them.
 */
export class SharedState {
  /** Of each variable: the sites of the functions that use it, with a function of each. */
  readonly #users = new Map<string, Map<Site, Function>>()
  readonly #cells = new Map<string, Cell>()
  readonly #bindings = new WeakMap<Site, ReadonlyMap<string, Binding>>()

  /** Forgets the functions of one value. */
  reset(): void {
    if (this.#users.size > 0) this.#users.clear()
    if (this.#cells.size > 0) this.#cells.clear()
  }

  /** Forgets the functions of a value that is written again, and keeps its cells. */
  restart(): void {
    this.#users.clear()
  }

  /**
   * Takes note of a function of the value being printed.
   *
   * @throws {SharingFound} when it shares a variable that has no cell yet
   */
  add(site: Site, fn: Function): void {
    if (site.isConstant) return
    for (const [name, binding] of this.#bindingsOf(site)) {
      const users = this.#users.get(binding.key) ?? new Map<Site, Function>()
      this.#users.set(binding.key, users)
      if (!this.#cells.has(binding.key)) {
        for (const [other, otherFn] of users) {
          if (otherFn !== fn && this.#isShared(site, other, binding)) this.#share(site, other, name, binding)
        }
      }
      if (!users.has(site)) users.set(site, fn)
    }
  }

  /** The cell of a captured variable; undefined for one that travels as a copy. */
  cellOf(site: Site, name: string): Cell | undefined {
    if (this.#cells.size === 0) return undefined
    const key = this.#bindingsOf(site).get(name)?.key
    return key === undefined ? undefined : this.#cells.get(key)
  }

  #isShared(site: Site, other: Site, binding: Binding): boolean {
    if (site === other && !binding.isOnly) return false
    return this.#writes(site, binding) || this.#writes(other, binding)
  }

  #writes(site: Site, { key }: Binding): boolean {
    return site.writes.some((name) => this.#bindingsOf(site).get(name)?.key === key)
  }

  #share(site: Site, other: Site, name: string, { key, isOnly }: Binding): never {
    if (isOnly) {
      this.#cells.set(key, { key })
      // oxlint-disable-next-line typescript/only-throw-error
      throw new SharingFound(key)
    }
    return refuse(
      'shared variable',
      `${nameOf(other)} and ${nameOf(site)} share the variable ${name}, which changes, and each would get a copy of it`,
      `keep it in an object that both use, as in \`const state = { ${name} }\``
    )
  }

  #bindingsOf(site: Site): ReadonlyMap<string, Binding> {
    let bindings = this.#bindings.get(site)
    if (bindings === undefined) {
      const found = site.unit.captured.map(
        (name) => [name, findBinding(site.file, site.start, name)] as const
      )
      bindings = new Map(found.filter((each): each is [string, Binding] => each[1] !== undefined))
      this.#bindings.set(site, bindings)
    }
    return bindings
  }
}

function nameOf({ unit }: Site): string {
  return unit.name === '' ? `the function at line ${unit.line + 1}` : unit.name
}
