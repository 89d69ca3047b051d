/** How values, errors and text of other machines are shown. stdout carries results only. */
import { inspect } from 'node:util'
import type { JobResult } from '../index.ts'

/**
 * Text of other machines without what could steer a terminal: control characters but newline and tab, and marks that
 * reverse the direction of writing.
 */
export function visible(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '')
}

/**
 * A result as one line of JSON. What JSON has no form for is written losslessly as an object with one key that
 * starts with `$`; an object of the user's with such a key is wrapped in `$object`.
 */
export function resultLine(result: JobResult): string {
  const { index, status, peer, node, attempt, ms, from } = result
  const place = { peer, node, attempt, ms: Math.round(ms * 1000) / 1000, ...(from && { from }) }
  if (status === 'ok') return JSON.stringify({ index, status, value: toJson(result.value), ...place })
  return JSON.stringify({ index, status, error: errorToJson(result.error), ...place })
}

/** A value as people read it. Colours only for a terminal; what is in the value cannot add any. */
export function valueText(value: unknown, colors: boolean): string {
  if (typeof value === 'string') return visible(value)
  return inspect(value, { depth: 4, colors, maxArrayLength: 100 })
}

/** `12.3 ms`, `4.56 s`, `3 min 20 s`, `2 h 5 min`. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${ms.toPrecision(3)} ms`
  if (ms < 60_000) return `${(ms / 1_000).toPrecision(3)} s`
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 60) return `${minutes} min ${Math.floor((ms % 60_000) / 1_000)} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** `512 bytes`, `12.3 MiB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`
  const units = ['KiB', 'MiB', 'GiB', 'TiB']
  const power = Math.min(units.length, Math.floor(Math.log2(bytes) / 10))
  return `${Number((bytes / 1024 ** power).toPrecision(3))} ${units[power - 1]}`
}

/** `1,234,567`; small numbers keep one digit after the point. */
export function formatNumber(number: number): string {
  return number.toLocaleString('en', { maximumFractionDigits: number < 10 ? 1 : 0 })
}

function errorToJson(error: Error): object {
  const { name, message, stack } = error
  const code = (error as { code?: unknown }).code
  return { name, message, stack, ...(code === undefined ? {} : { code: toJson(code) }) }
}

/** See the README, section "JSON output", for the forms. */
export function toJson(value: unknown, seen: readonly object[] = []): unknown {
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
      return { $function: value.name }
    case 'object':
      return value === null ? null : objectToJson(value, seen)
  }
  return undefined
}

function objectToJson(value: object, seen: readonly object[]): unknown {
  const depth = seen.indexOf(value)
  if (depth >= 0) return { $circular: seen.length - depth }
  const inside = [...seen, value]
  const json = (item: unknown): unknown => toJson(item, inside)
  if (Array.isArray(value)) return Array.from(value, json)
  if (value instanceof Date)
    return { $date: Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString() }
  if (value instanceof RegExp) return { $regexp: [value.source, value.flags] }
  if (value instanceof Map) return { $map: Array.from(value, ([key, item]) => [json(key), json(item)]) }
  if (value instanceof Set) return { $set: Array.from(value, json) }
  if (value instanceof URL) return { $url: value.href }
  if (value instanceof Error) return { $error: errorToJson(value) }
  if (value instanceof ArrayBuffer)
    return { $bytes: Buffer.from(value).toString('base64'), type: 'ArrayBuffer' }
  if (ArrayBuffer.isView(value)) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    return { $bytes: bytes.toString('base64'), type: value.constructor.name }
  }
  const object = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, json(item)]))
  return Object.keys(object).some((key) => key.startsWith('$')) ? { $object: object } : object
}
