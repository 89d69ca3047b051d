import { types } from 'node:util'
import { refuse } from '../errors.ts'

const INSIDE = 'open it inside the function'

/** Classes of which one says that they are opened. */
const OPENED =
  /Socket|Server|Stream|Handle|Watcher|Worker|Port|Database|PassThrough|Duplex|Readable|Writable|Channel|Dir$/

/** Refuses an object of a kind the runtime knows and that cannot leave this process, in words for its kind. */
export function refuseUnprintable(value: object): void {
  if (types.isPromise(value))
    refuse('Promise', 'a Promise exists only in this process', 'await it first, and send its value')
  if (types.isGeneratorObject(value)) {
    refuse(
      'generator',
      'a running generator exists only in this process',
      'send the generator function, or an array of its values'
    )
  }
  if (types.isWeakMap(value))
    refuse('WeakMap', 'a WeakMap cannot be listed', 'use a Map, or make it inside the function')
  if (types.isWeakSet(value))
    refuse('WeakSet', 'a WeakSet cannot be listed', 'use a Set, or make it inside the function')
  if (value instanceof WeakRef)
    refuse('WeakRef', 'a WeakRef points at memory of this process', 'send the object itself')
  if (types.isSharedArrayBuffer(value)) {
    refuse('SharedArrayBuffer', 'memory is shared within one process only', 'send a copy, as an ArrayBuffer')
  }
  if (types.isMapIterator(value) || types.isSetIterator(value)) {
    refuse('iterator', 'a running iterator exists only in this process', 'send an array of its values')
  }
  if (types.isArgumentsObject(value)) {
    refuse('arguments', 'an arguments object belongs to a running call', 'send a copy, as in [...arguments]')
  }
  if (types.isExternal(value)) refuse('native handle', 'a native handle exists only in this process', INSIDE)
  if (types.isKeyObject(value) || types.isCryptoKey(value)) {
    refuse(
      'key',
      'a key object exists only in this process',
      'export the key, send its bytes and import it inside the function'
    )
  }
}

/** Refuses an instance of a class of the runtime's own, such as a Socket. */
export function refuseInstanceOf(className: string): never {
  if (className === 'Module' || className === 'Instance' || className === 'Memory' || className === 'Table') {
    refuse(
      `WebAssembly.${className}`,
      `a WebAssembly.${className} exists only in this process`,
      'send the bytes and make it inside the function'
    )
  }
  if (/Iterator|Generator/.test(className)) {
    refuse('iterator', 'a running iterator exists only in this process', 'send an array of its values')
  }
  if (className === 'AbortSignal' || className === 'AbortController') {
    refuse(
      className,
      `${article(className)} exists only in this process`,
      'pass a signal as an option of the run instead'
    )
  }
  const hint = OPENED.test(className) ? INSIDE : 'make it inside the function'
  refuse(className, `${article(className)} exists only in this process`, hint)
}

export function article(noun: string): string {
  return /^[aeiou]/i.test(noun) ? `an ${noun}` : `a ${noun}`
}
