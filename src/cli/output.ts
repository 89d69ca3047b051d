/** How values, errors and text of other machines are shown. stdout carries results only. */
import { inspect } from 'node:util'

/**
 * Text of other machines without what could steer a terminal: control characters but newline and tab, and marks that
 * reverse the direction of writing.
 */
export function visible(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '')
}

/** A value as people read it. Colours only for a terminal; what is in the value cannot add any. */
export function valueText(value: unknown, colors: boolean): string {
  if (typeof value === 'string') return visible(value)
  const text = inspectSafely(value, false)
  // Stacks of errors, names of functions and classes, and sources of expressions are shown as they are.
  const clean = visible(text)
  return colors && clean === text ? inspectSafely(value, true) : clean
}

/** Something may say that it is of a class whose methods it does not bear. */
function inspectSafely(value: unknown, colors: boolean): string {
  const options = { depth: 4, colors, maxArrayLength: 100 }
  for (const customInspect of [true, false]) {
    try {
      return inspect(value, { ...options, customInspect })
    } catch {
      continue
    }
  }
  return `(${typeof value})`
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
  // Not toLocaleString: the first call of it takes as long as a short run.
  const rounded = number < 10 ? Math.round(number * 10) / 10 : Math.round(number)
  return String(rounded).replace(/\B(?=(?:\d{3})+$)/g, ',')
}
