/**
 * One step from a value to a part of it: a property (a text or symbol), an element (a number), a captured variable, or
 * an entry of a Map or Set.
 */
export type Segment = string | number | symbol | { readonly captured: string } | { readonly part: string }

/** A longer path is shown by its ends. */
const MAX_STEPS = 16

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*$/u

/** Writes a path as a reader of JavaScript expects: `job 3 -> handler -> settings.socket`. */
export function formatPath(label: string, segments: readonly Segment[]): string {
  if (segments.length > MAX_STEPS) {
    const dropped = segments.length - MAX_STEPS
    const gap: Segment = { part: ` … ${dropped} steps … ` }
    return formatPath(label, [...segments.slice(0, MAX_STEPS / 2), gap, ...segments.slice(1 - MAX_STEPS / 2)])
  }
  let path = ''
  let name = label
  for (const segment of segments) {
    if (typeof segment === 'object' && 'captured' in segment) {
      path += `${name} -> `
      name = segment.captured
    } else if (name === label && path === '') {
      path = `${name} -> `
      name = formatStep(segment).replace(/^\./, '')
    } else {
      name += formatStep(segment)
    }
  }
  return path + name
}

function formatStep(segment: Exclude<Segment, { captured: string }>): string {
  if (typeof segment === 'object') return segment.part
  if (typeof segment === 'number') return `[${segment}]`
  if (typeof segment === 'symbol') return `[${String(segment)}]`
  return IDENTIFIER.test(segment) ? `.${segment}` : `[${JSON.stringify(segment)}]`
}
