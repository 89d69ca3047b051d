/** Errors as people read them: what happened, the line of their own file, then where it was called from. */
import { codeFrame, placeIn } from './code-frame.ts'
import { valueText, visible } from './output.ts'

/** Built or as source; a jobs file beside them is not ours. */
const OWN_FOLDERS = ['bin/', 'dist/', 'src/'].map(
  (folder) => new URL(`../../${folder}`, import.meta.url).href
)

const FRAME = /^\s+at /

/** Causes within causes that are told. */
const MAX_CAUSES = 4

/**
 * An error that a job or a jobs file threw.
 *
 * @param options.head `false`: name and message have been said already
 */
export function errorText(error: Error, options: { head: boolean } = { head: true }): string {
  const { head, frames } = userStack(error)
  const place = placeIn(frames.join('\n'))
  const code = place === undefined ? undefined : codeFrame(place)
  const text = (lines: readonly string[]): string[] => lines.map(visible)
  // The frame has been made visible, and has colours of ours.
  const frame = code === undefined ? [] : ['', code, '']
  const lines = [...(options.head ? text([head]) : []), ...frame, ...text([...frames, ...causes(error)])]
  return lines.join('\n').trimEnd()
}

/** Whether somebody's own code is in its stack, and not only ours and Node's. */
export function isUserError(error: Error): boolean {
  return userStack(error).frames.some((frame) => frame.includes('/'))
}

/** Name, message and the frames that are neither ours nor Node's. */
function userStack(error: Error): { head: string; frames: string[] } {
  const lines = textOf(error.stack ?? '').split('\n')
  const theirs = lines.filter(
    (line) =>
      FRAME.test(line) && !OWN_FOLDERS.some((folder) => line.includes(folder)) && !/[( ]node:/.test(line)
  )
  // `at Promise.all (index 0)` says something only between frames of files.
  const frames = theirs.slice(0, theirs.findLastIndex((line) => line.includes('/')) + 1)
  const before = lines.slice(
    0,
    Math.max(
      0,
      lines.findIndex((line) => FRAME.test(line))
    )
  )
  const title = `${textOf(error.name)}: ${textOf(error.message)}`
  const head = before.length > 0 ? before.join('\n') : title
  return { head: head.includes(textOf(error.message)) ? head : title, frames }
}

function causes(error: Error): string[] {
  const told: string[] = []
  let cause: unknown = error.cause
  for (let depth = 0; cause !== undefined && cause !== null && depth < MAX_CAUSES; depth++) {
    if (!(cause instanceof Error)) return [...told, `  caused by: ${describe(cause)}`]
    const { head, frames } = userStack(cause)
    told.push(`  caused by: ${head}`, ...frames.slice(0, 1))
    cause = cause.cause
  }
  return told
}

function describe(value: unknown): string {
  return typeof value === 'string' ? value : valueText(value, false)
}

/** What is declared as text on an error is whatever its thrower put there. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : `(${typeof value})`
}
