/** A replacement in a text; equal in length to what it replaces, so that positions survive. */
export interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** A text with some stretches replaced by others of the same length; only what is put in at the end may be longer. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  let result = text
  for (const { start, end, text: replacement } of edits.toSorted((one, other) => other.start - one.start)) {
    result = result.slice(0, start) + replacement.padEnd(end - start) + result.slice(end)
  }
  return result
}
