/** Results as lines of JSON, for programs and files. */
import { types } from 'node:util'
import type { JobResult } from '../index.ts'

/**
 * Parts of one value, at most. What is shared within a value is written out wherever it stands, so that a hundred bytes from
 * a peer could mean more than any memory holds.
 */
const MAX_PARTS = 10_000_000

/**
 * A result as one line of JSON. What JSON has no form for is written losslessly as an object with one key that
 * starts with `$`; an object of the user's with such a key is wrapped in `$object`.
 */
export function resultLine(result: JobResult): string {
  const { index, status, peer, node, attempt, ms, from } = result
  const place = { peer, node, attempt, ms: Math.round(ms * 1000) / 1000, ...(from && { from }) }
  const line = (what: object): string => printable(JSON.stringify({ index, status, ...what, ...place }))
  try {
    return line(status === 'ok' ? { value: toJson(result.value) } : { error: errorToJson(result.error) })
  } catch (error) {
    // Too large, or said by a peer to be of a kind that it is not.
    const value = { $unprintable: error instanceof Error ? error.message : '' }
    return line(status === 'ok' ? { value } : { error: value })
  }
}

/** JSON leaves as they are control characters beyond those of ASCII, and marks that reverse the direction of writing. */
function printable(json: string): string {
  return json.replaceAll(/[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

/** The forms are in docs/json-output.md. */
export function toJson(value: unknown): unknown {
  return new JsonWriter().write(value)
}

function errorToJson(error: Error): object {
  return new JsonWriter().error(error)
}

class JsonWriter {
  /** The objects around what is being written, from the outermost. */
  readonly #around: object[] = []
  #parts = 0

  write(value: unknown): unknown {
    this.#count(1)
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return value
      case 'number':
        return Number.isFinite(value) && !Object.is(value, -0)
          ? value
          : { $number: Object.is(value, -0) ? '-0' : String(value) }
      case 'undefined':
        return { $undefined: true }
      case 'bigint':
        return { $bigint: String(value) }
      case 'symbol':
        return { $symbol: value.description ?? '' }
      case 'function':
        return { $function: textOf(value.name) }
      case 'object':
        return value === null ? null : this.#object(value)
    }
    return undefined
  }

  error(error: Error): object {
    const { name, message, stack } = error
    const code = (error as { code?: unknown }).code
    const text = {
      name: textOf(name),
      message: textOf(message),
      stack: stack === undefined ? stack : textOf(stack)
    }
    return { ...text, ...(code === undefined ? {} : { code: this.write(code) }) }
  }

  #object(value: object): unknown {
    const depth = this.#around.indexOf(value)
    if (depth >= 0) return { $circular: this.#around.length - depth }
    this.#around.push(value)
    const json = this.#content(value)
    this.#around.pop()
    return json
  }

  #content(value: object): unknown {
    const json = (item: unknown): unknown => this.write(item)
    if (Array.isArray(value)) {
      // Holes are parts, too: an array of four milliards of them has a few bytes.
      this.#count(value.length)
      return Array.from(value, json)
    }
    if (types.isDate(value))
      return { $date: Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString() }
    if (types.isRegExp(value)) return { $regexp: [value.source, value.flags] }
    if (types.isMap(value)) return { $map: Array.from(value, ([key, item]) => [json(key), json(item)]) }
    if (types.isSet(value)) return { $set: Array.from(value, json) }
    if (types.isNativeError(value)) return { $error: this.error(value) }
    if (types.isAnyArrayBuffer(value))
      return { $bytes: Buffer.from(value).toString('base64'), type: 'ArrayBuffer' }
    if (ArrayBuffer.isView(value)) {
      const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
      return { $bytes: bytes.toString('base64'), type: textOf(value.constructor.name) }
    }
    const href = hrefOf(value)
    if (href !== undefined) return { $url: href }
    const object = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, json(item)]))
    return Object.keys(object).some((key) => key.startsWith('$')) ? { $object: object } : object
  }

  #count(parts: number): void {
    this.#parts += parts
    if (this.#parts > MAX_PARTS) throw new RangeError(`more than ${MAX_PARTS} parts`)
  }
}

/** Only a real one has an address: that something has the prototype of one says little of what a peer sent. */
function hrefOf(value: object): string | undefined {
  try {
    return value instanceof URL ? value.href : undefined
  } catch {
    return undefined
  }
}

/** What is declared as text is whatever its sender put there. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : `(${typeof value})`
}
