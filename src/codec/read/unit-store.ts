import { ReadError } from '../errors.ts'
import { readData } from './read-data.ts'
import { type BundleUnit, type FunctionUnit, hashUnit, type Unit } from '../unit.ts'

/** Units as they came, by hash; what a unit is shows when it is used. */
export class UnitStore {
  readonly #bytes = new Map<string, Uint8Array>()
  readonly #checkHashes: boolean
  readonly #find: (hash: string) => Uint8Array | undefined

  /** @param find where else a unit may be */
  constructor(checkHashes: boolean, find: (hash: string) => Uint8Array | undefined) {
    this.#checkHashes = checkHashes
    this.#find = find
  }

  /** @throws {ReadError} when the bytes are not the unit of that name */
  add(hash: string, bytes: Uint8Array): void {
    if (this.#bytes.has(hash)) return
    if (this.#checkHashes && hashUnit(bytes) !== hash)
      throw new ReadError(0, `a unit's bytes do not have the hash ${hash}`)
    this.#bytes.set(hash, bytes)
  }

  /** @throws {ReadError} when it did not come, or is of another kind */
  get(hash: string, kind: 'function'): FunctionUnit
  get(hash: string, kind: 'bundle'): BundleUnit
  get(hash: string, kind: Unit['kind']): Unit {
    const bytes = this.#bytes.get(hash) ?? this.#find(hash)
    if (bytes === undefined) throw new ReadError(0, `the ${kind} ${hash} was not sent`)
    const unit = readData(bytes) as Unit
    if (unit.kind !== kind) throw new ReadError(0, `expected the ${kind} ${hash}, got a ${unit.kind}`)
    return unit
  }
}
