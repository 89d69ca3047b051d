import { BundleCache } from '../bundle/bundle-cache.ts'
import { Bundler } from '../bundle/bundle.ts'
import { ClosureInspector } from './closure-inspector.ts'
import { contentKey, functionKey, type KeySource } from './content-key.ts'
import { type ContentName, contentName } from './content-name.ts'
import { Encoder } from './encode.ts'
import { PrintError, RefusalSignal } from '../errors.ts'
import type { KnownClosures } from './known-functions.ts'
import { LiveFunctions } from './live-functions.ts'
import { nestedUnit, type NestedUnit } from '../source/nested-unit.ts'
import { PackageValues } from '../bundle/package-values.ts'
import { Pending } from './pending.ts'
import { formatPath, type Segment } from '../path.ts'
import { InspectorSession } from './inspector-session.ts'
import { isResultBuiltin } from './result-builtins.ts'
import { Reader } from '../read/read.ts'
import { readData } from '../read/read-data.ts'
import { mapStack } from '../load/source-maps.ts'
import { ScriptSources } from '../source/script-sources.ts'
import { SharingFound } from './shared-state.ts'
import { VariableProbe } from './variable-probe.ts'
import { SiteAnalyser } from '../source/site-analyser.ts'
import type { FunctionUnit, Unit } from '../unit.ts'

/** A value in a form that travels. */
export interface Printed {
  readonly bytes: Uint8Array
  /** The units it needs, transitively: lower-case hex SHA-256, for {@link Printer.unit}. */
  readonly units: readonly string[]
}

export interface PrintWarning {
  /** From what was printed to the captured variable. */
  readonly path: string
  readonly bytes: number
  readonly message: string
}

export interface PrinterOptions {
  /** Called once for each captured variable that takes more than 1 MiB. @default nothing happens */
  readonly onWarning?: (warning: PrintWarning) => void
  /** Folder that keeps bundles between runs, by content. @default none: every process bundles anew */
  readonly cacheDirectory?: string
}

const NO_UNITS: readonly string[] = []

/** A captured variable above this is worth a warning: it travels with every single job. */
const LARGE_BYTES = 1024 * 1024

/**
 * Prints values, functions included, for a {@link Reader} elsewhere. One for each process: it remembers the sites of
 * functions, so that the second closure of a site is printed at once.
 *
 * @example
 * const printer = new Printer()
 * const { bytes, units } = await printer.print(() => 6 * 7, 'job 0')
 */
export class Printer {
  readonly #functions: LiveFunctions
  readonly #encoder: Encoder
  readonly #packages: PackageValues
  readonly #units = new Map<string, Uint8Array>()
  readonly #options: PrinterOptions
  readonly #warned = new Set<string>()
  /** Of the value being printed. */
  #label = ''
  #reader: Reader | undefined
  readonly #functionKeys = new Map<string, string>()
  readonly #keys: KeySource

  constructor(options: PrinterOptions = {}) {
    this.#options = options
    const keep = (hash: string, bytes: Uint8Array): void => void this.#units.set(hash, bytes)
    const session = new InspectorSession()
    const inspector = new ClosureInspector(session)
    const scripts = new ScriptSources(session)
    const { cacheDirectory } = options
    const cache = cacheDirectory === undefined ? undefined : new BundleCache(cacheDirectory)
    const bundler = new Bundler(keep, cache)
    const packages = new PackageValues(bundler)
    this.#packages = packages
    this.#functions = new LiveFunctions(
      inspector,
      new VariableProbe(session, inspector),
      new SiteAnalyser(scripts, bundler, packages, keep),
      packages,
      (bytes) => this.#warn(bytes)
    )
    this.#encoder = new Encoder(this.#functions)
    const memberKey = (hash: string, name: string): string => bundler.memberKey(hash, name)
    this.#keys = { functionKey: (hash) => this.#functionKey(hash), memberKey }
  }

  /**
   * Prints one value. The answer is a promise only when a site is met for the first time: its function has to be parsed,
   * and what it imports bundled.
   *
   * @param path what the value is called in errors, such as `job 3`
   * @throws {PrintError} when the value holds something that cannot travel; the promise rejects with it
   */
  print(value: unknown, path = 'value'): Printed | Promise<Printed> {
    return this.#print(() => this.#encoder.encode(value), path)
  }

  /**
   * The same for an array of arguments, which will be spread into a call.
   *
   * @throws like {@link print}
   */
  printArguments(args: readonly unknown[], path = 'arguments'): Printed | Promise<Printed> {
    return this.#print(() => this.#encoder.encodeArguments(args), path)
  }

  /** The bytes of a unit that {@link print} named. */
  unit(hash: string): Uint8Array {
    const bytes = this.#units.get(hash)
    if (bytes === undefined) throw new RangeError(`expected the hash of a unit printed here, got ${hash}`)
    return bytes
  }

  /**
   * A name for what a value means, the same in every process that prints the same: it changes with the code of a function,
   * of what it calls and of the files of packages it imports, and with every captured value; it does not change when code
   * moves to another line or file, when other functions of the file change, or with what was printed before.
   *
   * @returns lower-case hex SHA-256
   */
  contentKey({ bytes, units }: Printed): string {
    return contentKey(bytes, units.length > 0, this.#keys)
  }

  /** What the content key of a function has of its code; undefined for a unit that is not one function. */
  codeKey(hash: string): string | undefined {
    const unit = readData(this.unit(hash)) as Unit
    return unit.kind === 'function' ? this.#functionKey(hash) : undefined
  }

  /** {@link contentKey} in a form that costs less for small values, and is told apart by both its parts. */
  contentName({ bytes, units }: Printed): ContentName {
    return contentName(bytes, units.length > 0, this.#keys)
  }

  /**
   * Reads what a job returned. Classes and functions that this printer printed are recognised: an instance of the program's
   * own class is one here too. Source from elsewhere is never evaluated, only units printed here.
   *
   * @throws {ReadError} when the bytes are not a printed value
   */
  readResult(bytes: Uint8Array): unknown {
    this.#reader ??= new Reader({
      findOriginal: (identity) => this.#functions.identities.function(identity),
      findOriginalSymbol: (identity) => this.#functions.identities.symbol(identity),
      findUnit: (hash) => this.#units.get(hash),
      findNested: (hash, start) => this.#nestedUnit(hash, start),
      findMember: (hash, path) => this.#packages.member(hash, path),
      isFromPeer: true,
      allowBuiltin: isResultBuiltin,
      mapStack
    })
    return this.#reader.read(bytes)
  }

  #nestedUnit(hash: string, start: number): NestedUnit | undefined {
    const bytes = this.#units.get(hash)
    if (bytes === undefined) return undefined
    try {
      return nestedUnit(readData(bytes) as FunctionUnit, start)
    } catch (error) {
      if (error instanceof RefusalSignal) return undefined
      throw error
    }
  }

  #functionKey(hash: string): string {
    let key = this.#functionKeys.get(hash)
    if (key === undefined) {
      key = functionKey(readData(this.unit(hash)) as FunctionUnit, this.#keys)
      this.#functionKeys.set(hash, key)
    }
    return key
  }

  #print(encode: () => Uint8Array, path: string): Printed | Promise<Printed> {
    const attempt = this.#attempt(encode, path)
    if (!(attempt instanceof Pending)) return attempt
    return this.#printAfter(attempt, encode, path, this.#functions.closures)
  }

  async #printAfter(
    first: Pending,
    encode: () => Uint8Array,
    path: string,
    closures: KnownClosures
  ): Promise<Printed> {
    let pending = first
    for (;;) {
      await pending.work().catch((error: unknown) => explain(error, path, []))
      const attempt = this.#attempt(encode, path, closures)
      if (!(attempt instanceof Pending)) return attempt
      pending = attempt
    }
  }

  #attempt(encode: () => Uint8Array, path: string, closures?: KnownClosures): Printed | Pending {
    try {
      this.#label = path
      this.#functions.begin(closures)
      const bytes = this.#encode(encode)
      return { bytes, units: this.#functions.hashes.size === 0 ? NO_UNITS : [...this.#functions.hashes] }
    } catch (error) {
      if (error instanceof Pending) return error
      return explain(error, path, this.#encoder.path)
    }
  }

  #encode(encode: () => Uint8Array): Uint8Array {
    for (;;) {
      try {
        return encode()
      } catch (error) {
        // Each time with one more variable shared: so it ends.
        if (!(error instanceof SharingFound)) throw error
        this.#functions.beginAgain()
      }
    }
  }

  #warn(bytes: number): void {
    if (bytes < LARGE_BYTES || this.#options.onWarning === undefined) return
    const label = this.#label
    const path = formatPath(label, this.#encoder.path)
    const name = path.slice(label.length)
    if (this.#warned.has(name)) return
    this.#warned.add(name)
    const size = `${(bytes / 1024 / 1024).toFixed(1)} MiB`
    const message = `${path}: ${size} travel with it; pass large values once, as an argument or through setup`
    this.#options.onWarning({ path, bytes, message })
  }
}

function explain(error: unknown, path: string, segments: readonly Segment[]): never {
  if (error instanceof RefusalSignal)
    throw new PrintError(formatPath(path, error.path ?? segments), error.refusal)
  throw error
}
