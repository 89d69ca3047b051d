/** A variable that several functions share. */
export class Cell {
  value: unknown

  constructor(value?: unknown) {
    this.value = value
  }
}

/** The shared variables of one closure, by name: known once the values that it captured are read. */
export class CellScope {
  /** What the text of the closure finds its names in. */
  readonly names: object = Object.create(null)
  readonly #cells = new Map<string, Cell>()

  constructor(names: readonly string[]) {
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
