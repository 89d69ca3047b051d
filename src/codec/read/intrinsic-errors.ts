import { homeClass } from './home-realm.ts'

/** The error classes of the language, by name. */
export const ERROR_CLASSES: ReadonlyMap<string, ErrorConstructor> = new Map(
  [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, AggregateError].map(
    (errorClass) => [errorClass.name, errorClass as ErrorConstructor]
  )
)

const BY_PROTOTYPE: ReadonlyMap<object, ErrorConstructor> = new Map(
  [...ERROR_CLASSES.values()].map((errorClass) => [errorClass.prototype, errorClass])
)

/** The class of the language an error is an instance of, at the nearest. */
export function errorClassOf(error: object): ErrorConstructor {
  let prototype: object | null = Object.getPrototypeOf(error)
  while (prototype !== null) {
    const errorClass =
      BY_PROTOTYPE.get(prototype) ?? BY_PROTOTYPE.get(homeClass(prototype.constructor)?.prototype)
    if (errorClass !== undefined) return errorClass
    prototype = Object.getPrototypeOf(prototype)
  }
  return Error
}

/** Asks the name first: Node loads the class when it is first looked at. */
export function isDomException(value: object): value is DOMException {
  return Object.prototype.toString.call(value) === '[object DOMException]' && value instanceof DOMException
}
