/** Results on their way to the user: the same forms whether they come from a run of now, of another node, or of the past. */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { styleText } from 'node:util'
import type { JobResult, RunProgress } from '../index.ts'
import type { Display } from './display.ts'
import { formatDuration, formatNumber, resultLine, valueText, visible } from './output.ts'

export interface ResultForm {
  /** One JSON object per line. */
  readonly json?: boolean
  /** Into this file instead of stdout, as JSON. */
  readonly out?: string
}

export async function printResults(
  results: AsyncIterable<JobResult>,
  { json, out }: ResultForm,
  display: Display
): Promise<void> {
  const file = out === undefined ? undefined : createWriteStream(out)
  for await (const result of results) {
    const stream = file ?? process.stdout
    const isRoom =
      file !== undefined
        ? file.write(`${resultLine(result)}\n`)
        : json === true
          ? display.write(process.stdout, resultLine(result))
          : writeText(result, display)
    if (!isRoom) await once(stream, 'drain')
  }
  if (file !== undefined) await finished(file.end())
}

/** What people see of a result; a failure goes to stderr. */
function writeText(result: JobResult, display: Display): boolean {
  const place = visible(`${result.node}, ${formatDuration(result.ms)}`)
  if (result.status === 'ok') {
    const note = styleText('dim', `(${place})`, { stream: process.stdout })
    return display.write(
      process.stdout,
      `${result.index}: ${valueText(result.value, process.stdout.hasColors?.())}  ${note}`
    )
  }
  const head = styleText('red', `job ${result.index} failed`, { stream: process.stderr })
  display.write(process.stderr, `${head} (${place}): ${visible(result.error.stack ?? result.error.message)}`)
  return true
}

/** `12 done, 1 failed in 3.4 s (attic 8, cellar 5)`. */
export function summary({ succeeded, failed, byNode }: RunProgress, elapsedMs: number): string {
  const shares = [...byNode].map(([node, jobs]) => `${visible(node)} ${formatNumber(jobs)}`).join(', ')
  const failures = failed === 0 ? '' : `, ${formatNumber(failed)} failed`
  const who = shares === '' ? '' : ` (${shares})`
  return `${formatNumber(succeeded)} done${failures} in ${formatDuration(elapsedMs)}${who}`
}
