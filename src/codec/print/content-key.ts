import { hash } from 'node:crypto'
import { Encoder } from './encode.ts'
import { PLAIN_DATA } from './plain-data.ts'
import { Rewriter } from './rewriter.ts'
import { TAG } from '../tags.ts'
import type { FunctionUnit, Link, LoadTarget } from '../unit.ts'

/** Where the keys of what a value names come from. */
export interface KeySource {
  /** {@link functionKey} of a unit, as 64 hex digits. */
  functionKey(hash: string): string
  /** What a name of a bundle stands for, as 64 hex digits. */
  memberKey(hash: string, name: string): string
}

/** Every symbol of its own begins with these bytes: tag 47105 of an array of three, the first of them 2. */
const OWN_SYMBOL = Buffer.from('d9b8018302', 'hex')

/**
 * Names a printed value by what it means: code and captured values, and not where the code stands or in which order this
 * process came to print it. The bytes are hashed as they are, but for hashes of units and numbers of classes and symbols.
 *
 * @returns lower-case hex SHA-256
 */
export function contentKey(bytes: Uint8Array, hasUnits: boolean, source: KeySource): string {
  const isPlain =
    !hasUnits && !Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(OWN_SYMBOL)
  return hash('sha256', isPlain ? bytes : new Walk(bytes, source).run())
}

/** The key of a function's unit: all of it but file, line and column. */
export function functionKey(unit: FunctionUnit, source: Pick<KeySource, 'memberKey'>): string {
  const { form, strict, name, source: text, captured, keys, cells, privateStatics, parentName } = unit
  const links = Object.entries(unit.links).map(([each, link]) => [each, linkKey(link, source)])
  const described = [form, strict, name, text, captured, keys, cells, links, privateStatics, parentName]
  return hash('sha256', new Encoder(PLAIN_DATA).encode(described))
}

function linkKey(link: Link, source: Pick<KeySource, 'memberKey'>): unknown {
  if (link.kind === 'load') {
    const targets = Object.entries(link.targets).map(([name, target]) => [name, targetKey(target, source)])
    return { ...link, targets }
  }
  return link.kind === 'bundle' ? targetKey(link, source) : link
}

function targetKey(target: LoadTarget, source: Pick<KeySource, 'memberKey'>): unknown {
  return target.kind === 'bundle' ? source.memberKey(target.hash, target.name) : target.module
}

/** Gives a printed value with all that belongs to this process replaced. */
class Walk extends Rewriter {
  readonly #source: KeySource
  /** Of classes and of symbols: their numbers here, in the order in which they come up. */
  readonly #numbers = new Map<string, number>()

  constructor(bytes: Uint8Array, source: KeySource) {
    super(bytes)
    this.#source = source
  }

  protected override tagged(tag: number): void {
    if (tag === TAG.closure || tag === TAG.constructor) return this.#unit()
    if (tag === TAG.bundled) return this.#member()
    if (tag === TAG.identity) return this.#numbered(this.count(), 'class')
    if (tag !== TAG.symbol) return this.item()
    const count = this.count()
    // [2, identity, description]: one of its own.
    if (count === 3) this.item()
    return count === 3 ? this.#numbered(2, 'symbol') : this.items(count)
  }

  /** [unit, …] */
  #unit(): void {
    const count = this.count()
    const before = this.reader.offset
    this.#put(before, this.#source.functionKey(this.hex()))
    this.items(count - 1)
  }

  /** [unit, name, …]: the name is a number within the bundle. */
  #member(): void {
    const count = this.count()
    const before = this.reader.offset
    const hash = this.hex()
    const name = this.reader.text(this.reader.first())
    this.#put(before, this.#source.memberKey(hash, name))
    this.items(count - 2)
  }

  /** [identity, …] */
  #numbered(count: number, kind: string): void {
    const before = this.reader.offset
    const identity = `${kind} ${this.count()}`
    const number = this.#numbers.get(identity) ?? this.#numbers.size
    this.#numbers.set(identity, number)
    this.#put(before, `${number}.`)
    this.items(count - 1)
  }

  #put(before: number, text: string): void {
    this.replace(before, Buffer.from(text, 'latin1'))
  }
}
