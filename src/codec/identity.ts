/** Numbers for functions and symbols whose identity must hold on the other side and on the way back. */
export class Identities {
  readonly #numbers = new WeakMap<object | symbol, number>()
  readonly #functions = new Map<number, Function>()
  readonly #symbols = new Map<number, symbol>()
  #next = 0

  of(value: Function | symbol): number {
    const known = this.#numbers.get(value)
    if (known !== undefined) return known
    const number = this.#next++
    this.#numbers.set(value, number)
    if (typeof value === 'function') this.#functions.set(number, value)
    else this.#symbols.set(number, value)
    return number
  }

  function(number: number): Function | undefined {
    return this.#functions.get(number)
  }

  symbol(number: number): symbol | undefined {
    return this.#symbols.get(number)
  }
}
