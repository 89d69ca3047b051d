/**
 * One step from a value to a part of it: a property (a text or symbol), an element (a number), a captured variable, or
 * an entry of a Map or Set.
 */
export type Segment = string | number | symbol | { readonly captured: string } | { readonly part: string }

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*$/u

/** Writes a path as a reader of JavaScript expects: `job 3 -> handler -> settings.socket`. */
export function formatPath(label: string, segments: readonly Segment[]): string {
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
