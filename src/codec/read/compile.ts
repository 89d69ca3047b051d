import { Script } from 'node:vm'
import type { BundleUnit, FunctionUnit } from '../unit.ts'

/** What compiling a function unit gives: makes one closure of the site at each call. */
export type Factory = (...links: readonly unknown[]) => Omit<Instance, 'setPrivate'>

/** Given to a class that has private static fields: called with the way to set them. */
export type GivePrivate = (set: (values: readonly unknown[]) => void) => void

/** One closure: the function, and a way to its captured variables. */
export interface Instance {
  readonly make: () => unknown
  readonly get: () => unknown[]
  /** Sets the captured variables that are no cells, in their order. */
  readonly set: (values: readonly unknown[]) => void
  /** Sets the private static fields of a class, once it was made. */
  readonly setPrivate: (values: readonly unknown[]) => void
}

/**
 * Compiles the unit of a function so that its text stands where it stood in the file it came from: what goes before it is
 * on the same line, and the columns of that line begin as much earlier.
 */
export function compileFunction(unit: FunctionUnit): Factory {
  const { cells = [] } = unit
  const own = unit.captured.filter((name) => !cells.includes(name)).join(', ')
  const links = [
    ...Object.keys(unit.links),
    ...(unit.parentName === undefined ? [] : [unit.parentName]),
    '$private',
    '$cells'
  ]
  // The only way to let functions with texts of their own share a variable: the scope of a `with` around each of them. Names
  // found in one are slow, so nothing else is.
  const [open, close] = cells.length === 0 ? ['', ''] : ['with ($cells) return (function () { ', '})()']
  const before =
    `(function (${links.join(', ')}) { ${open}${unit.strict ? '"use strict"; ' : ''}` +
    // Only sloppy code has names such as `let`, which only `var` declares.
    (own === '' ? '' : `${unit.strict ? 'let' : 'var'} ${own}; `) +
    `return { get: () => [${unit.captured.join(', ')}], ` +
    `set() { ${own === '' ? '' : `[${own}] = arguments[0]`} }, make: () => ${opening(unit)}`
  const after = `\n}) } ${close}})`
  const script = new Script(before + unit.source + after, {
    filename: unit.file,
    lineOffset: unit.line,
    columnOffset: unit.column - before.length
  })
  return script.runInThisContext() as Factory
}

/** Makes a closure and keeps the way to its private static fields. */
export function withPrivate(make: (give: GivePrivate) => Omit<Instance, 'setPrivate'>): Instance {
  let setPrivate: Instance['setPrivate'] = () => {}
  const closure = make((set) => {
    setPrivate = set
  })
  return { ...closure, setPrivate: (values) => setPrivate(values) }
}

/** @returns the function whose call evaluates the bundle */
export function compileBundle(unit: BundleUnit): (exports: object, require: unknown, module: object) => void {
  const before = '(function (exports, require, module) { '
  const script = new Script(`${before}${unit.source}\n})`, {
    filename: unit.file,
    columnOffset: -before.length
  })
  return script.runInThisContext() as (exports: object, require: unknown, module: object) => void
}

function opening({ form, name }: FunctionUnit): string {
  if (form === 'method' || form === 'getter' || form === 'setter') return '({ '
  // A property lends its name to a function without one, as the variable did where it was written.
  if (typeof name === 'string' && name !== '__proto__') return `({ ${JSON.stringify(name)}: `
  return '({ "": '
}

/** Takes the function out of the object literal that {@link opening} put around it. */
export function unwrap(literal: unknown, form: FunctionUnit['form']): Function {
  const [descriptor] = Object.values(Object.getOwnPropertyDescriptors(literal as object))
  const part = form === 'getter' ? 'get' : form === 'setter' ? 'set' : 'value'
  const fn: unknown = descriptor === undefined ? undefined : Reflect.get(descriptor, part)
  if (typeof fn !== 'function') throw new TypeError('a unit did not evaluate to a function')
  return fn
}
