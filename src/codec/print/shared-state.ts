import { refuse } from '../errors.ts'
import type { VariableProbe } from './variable-probe.ts'

/** Thrown when functions of a value turn out to share a variable: it has to be written once more, with a cell for it. */
export class SharingFound {
  readonly variable: string

  constructor(variable: string) {
    this.variable = variable
  }
}

/** A variable that functions of one place in the source use, and what may become of it. */
export interface SharedVariable {
  /** The same for all names that mean it. */
  readonly key: string
  /** There is only one of it: it is declared at the top of a module. */
  readonly isOnly: boolean
  /** By the functions of this place. */
  readonly isWritten: boolean
}

/** What functions of one place in the source may share with others: one object for each place. */
export interface Sharing {
  /** In errors. */
  readonly label: string
  readonly variables: ReadonlyMap<string, SharedVariable>
}

/** Stands for a variable of this process while a value is written. */
export interface Cell {
  /** A function that uses it. */
  readonly fn: Function
}

/** What a name means in some place of the source: one variable, or one for each call of the function that declares it. */
interface Declared {
  /** Functions that use it, by site. */
  readonly users: Map<Sharing, Function>
  /** Some functions share it, one of which changes it. */
  isShared: boolean
  readonly cells: Cell[]
  readonly cellOf: Map<Function, Cell>
}

/** Calls of one function whose variables are told apart in one value; each is compared with all others. */
const MOST_CALLS = 100

/**
 * Watches for variables that one function changes and another sees. Captured variables travel by value, a copy for each
 * function, so that the change would be seen here and not there: such a variable gets a cell, which its functions share.
 *
 * A variable of a module exists once. One declared in a function exists once for each call of it: which closures are of
 * one call is found out by a {@link VariableProbe}, when closures of different sites are in one value. Closures of one site
 * alone are taken for closures with variables of their own, as a loop or a factory makes them.
 */
export class SharedState {
  readonly #probe: VariableProbe
  readonly #declared = new Map<string, Declared>()

  constructor(probe: VariableProbe) {
    this.#probe = probe
  }

  /** Forgets the functions of one value. */
  reset(): void {
    if (this.#declared.size > 0) this.#declared.clear()
  }

  /** Forgets the functions of a value that is written again, and keeps its cells. */
  restart(): void {
    for (const { users } of this.#declared.values()) users.clear()
  }

  /**
   * Takes note of a function of the value being printed.
   *
   * @throws {SharingFound} when it shares a variable that has no cell yet
   */
  add(sharing: Sharing, fn: Function): void {
    for (const [name, variable] of sharing.variables) {
      const declared = this.#declare(variable.key)
      if (declared.isShared) this.#giveCell(declared, sharing, fn, name, variable)
      else checkUsers(declared, sharing, fn, variable)
      if (!declared.users.has(sharing)) declared.users.set(sharing, fn)
    }
  }

  /** The cell of a captured variable; undefined for one that travels as a copy. */
  cellOf(sharing: Sharing, fn: Function, name: string): Cell | undefined {
    if (this.#declared.size === 0) return undefined
    const key = sharing.variables.get(name)?.key
    return key === undefined ? undefined : this.#declared.get(key)?.cellOf.get(fn)
  }

  #declare(key: string): Declared {
    const known = this.#declared.get(key)
    if (known !== undefined) return known
    const declared = { users: new Map(), isShared: false, cells: [], cellOf: new Map() }
    this.#declared.set(key, declared)
    return declared
  }

  #giveCell(
    declared: Declared,
    sharing: Sharing,
    fn: Function,
    name: string,
    { isOnly }: SharedVariable
  ): void {
    const { cells, cellOf } = declared
    if (cellOf.has(fn)) return
    const found = isOnly ? cells[0] : this.#findCell(declared, sharing, fn, name)
    const cell = found ?? { fn }
    // Closures of one call tend to come one after another.
    if (found === undefined) cells.unshift(cell)
    cellOf.set(fn, cell)
  }

  #findCell({ cells, users }: Declared, sharing: Sharing, fn: Function, name: string): Cell | undefined {
    if (cells.length === 0) return undefined
    const other = [...users.keys()].find((each) => each !== sharing) ?? sharing
    if (cells.length > MOST_CALLS) return refuseShared(other, sharing, name)
    const found = this.#probe.find(
      fn,
      name,
      cells.map((cell) => cell.fn)
    )
    if (found !== undefined) return cells[found]
    // Where V8 cannot stop in this one, it may be able to in each of the others.
    for (const cell of cells) {
      const isSame = this.#probe.find(cell.fn, name, [fn])
      if (isSame === undefined) return refuseShared(other, sharing, name)
      if (isSame === 0) return cell
    }
    return undefined
  }
}

function checkUsers(declared: Declared, sharing: Sharing, fn: Function, variable: SharedVariable): void {
  for (const [other, otherFn] of declared.users) {
    if (otherFn === fn || (other === sharing && !variable.isOnly)) continue
    const isWritten =
      variable.isWritten ||
      [...other.variables.values()].some((each) => each.key === variable.key && each.isWritten)
    if (!isWritten) continue
    declared.isShared = true
    // oxlint-disable-next-line typescript/only-throw-error
    throw new SharingFound(variable.key)
  }
}

function refuseShared(one: Sharing, other: Sharing, name: string): never {
  return refuse(
    'shared variable',
    `${one.label} and ${other.label} may share the variable ${name}, which changes, and each would get a copy of it`,
    `keep it in an object that both use, as in \`const state = { ${name} }\``
  )
}
