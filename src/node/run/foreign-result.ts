import { types } from 'node:util'
import { Reader } from '../../codec/read/read.ts'
import { isResultBuiltin } from '../../codec/print/result-builtins.ts'

/**
 * Reads results in a process that did not print their jobs. Classes and functions of the program that did are not known
 * here: their instances are plain objects, errors stay errors, functions cannot be called.
 */
export function foreignResultReader(): (bytes: Uint8Array) => unknown {
  const standIns = new Map<number, Function>()
  const findOriginal = (identity: number): Function => {
    let standIn = standIns.get(identity)
    if (standIn === undefined) standIns.set(identity, (standIn = makeStandIn()))
    return standIn
  }
  const reader = new Reader({ isFromPeer: true, allowBuiltin: isResultBuiltin, findOriginal, makeStandIn })
  return (bytes) => {
    const value = reader.read(bytes)
    if (types.isNativeError(value) && !(value instanceof Error)) Object.setPrototypeOf(value, Error.prototype)
    return value
  }
}

function makeStandIn(): Function {
  function unknownHere(): never {
    throw new TypeError('this function exists only in the program that made the run')
  }
  // So that instances are plain objects, and look like it.
  unknownHere.prototype = Object.prototype as never
  return unknownHere
}
