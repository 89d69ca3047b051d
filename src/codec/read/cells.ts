/** A variable that several functions share. */
export class Cell {
  value: unknown

  constructor(value?: unknown) {
    this.value = value
  }
}

/** Of the objects that closures find their shared variables in. */
const cellScopes = new WeakMap<object, CellScope>()

/** The cell that a closure has for a variable, if it is one that was read here. */
export function cellIn(scopes: readonly object[], name: string): Cell | undefined {
  const scope = scopes.find((each) => Object.hasOwn(each, name))
  return scope === undefined ? undefined : cellScopes.get(scope)?.cell(name)
}

/** The shared variables of one closure, by name: known once the values that it captured are read. */
export class CellScope {
  /** What the text of the closure finds its names in. */
  readonly names: object = Object.create(null)
  readonly #cells = new Map<string, Cell>()

  constructor(names: readonly string[]) {
    cellScopes.set(this.names, this)
    for (const name of names) {
      Object.defineProperty(this.names, name, {
        get: () => this.#cells.get(name)?.value,
        set: (value: unknown) => {
          const cell = this.#cells.get(name)
          if (cell !== undefined) cell.value = value
        }
      })
    }
  }

  cell(name: string): Cell | undefined {
    return this.#cells.get(name)
  }

  /**
   * Takes the value of a captured variable, if that is a shared one: a cell, or what a variable holds that is shared no more.
   *
   * @returns whether it is
   */
  take(name: string, value: unknown): boolean {
    if (!Object.hasOwn(this.names, name)) return false
    this.#cells.set(name, value instanceof Cell ? value : new Cell(value))
    return true
  }
}
