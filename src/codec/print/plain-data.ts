import { refuse } from '../errors.ts'
import type { FunctionWriter } from './value-writer.ts'

/** Writes no functions. */
export const PLAIN_DATA: FunctionWriter = {
  writeFunction: () =>
    refuse('function', 'a function is not plain data', 'send it as an argument or result of a job'),
  writeBuiltin: () => false,
  writeSpecial: () => false,
  canWriteClass: () => false,
  checkProperty: () => {},
  identifySymbol: () => refuse('symbol', 'a symbol of its own is not plain data', 'use Symbol.for(…)')
}
