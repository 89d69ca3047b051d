/** Results on their way to the user: the same forms whether they come from a run of now, of another node, or of the past. */
import { once } from 'node:events'
import { styleText } from 'node:util'
import type { JobFailure, JobResult } from '../index.ts'
import type { Display } from './display.ts'
import { errorText } from './error-text.ts'
import { log, logsJson } from './log.ts'
import { formatDuration, valueText, visible } from './output.ts'
import { OutputFile } from './output-file.ts'
import { resultLine } from './result-json.ts'

export interface ResultForm {
  /** One JSON object per line. */
  readonly json?: boolean
  /** Into this file instead of stdout, as JSON. */
  readonly out?: string
}

/** Where lines go. */
type Screen = Pick<Display, 'write'>

/** Results on stdout or in a file; failures for people on stderr. */
export async function printResults(
  results: AsyncIterable<JobResult>,
  { json, out }: ResultForm,
  display: Screen
): Promise<void> {
  if (out !== undefined) return writeFile(results, out, display)
  const failures = new Failures()
  for await (const result of results) {
    if (result.status === 'error' && json !== true) {
      if (!failures.tell(result, display)) await once(process.stderr, 'drain')
      continue
    }
    const line = json === true ? resultLine(result) : successText(result)
    if (!display.write(process.stdout, line)) await once(process.stdout, 'drain')
  }
}

async function writeFile(results: AsyncIterable<JobResult>, path: string, display: Screen): Promise<void> {
  const file = await OutputFile.open(path)
  const failures = new Failures()
  for await (const result of results) {
    if (result.status === 'error') failures.tell(result, display)
    if (!file.write(`${resultLine(result)}\n`) || file.failure !== undefined) await file.room()
  }
  await file.close()
}

function successText(result: JobResult): string {
  const place = visible(`${result.node}, ${formatDuration(result.ms)}`)
  const note = styleText('dim', `(${place})`, { stream: process.stdout })
  return `${result.index}: ${valueText(result.value, process.stdout.hasColors?.() ?? false)}  ${note}`
}

/** Many jobs fail for one reason: the code around it is shown once. */
class Failures {
  readonly #shown = new Set<string>()

  tell(failure: JobFailure, display: Screen): boolean {
    if (!logsJson()) return display.write(process.stderr, this.#text(failure))
    const { index: job, node, ms, attempt, error } = failure
    const { name, message, stack } = error
    log.error(`job ${job} failed: ${name}: ${message}`, {
      job,
      node,
      ms,
      attempt,
      error: { name, message, stack }
    })
    return true
  }

  #text({ index, node, ms, error }: JobFailure): string {
    const origin = /\n\s+at .*/.exec(String(error.stack))?.[0] ?? error.message
    const isKnown = this.#shown.has(origin)
    if (this.#shown.size < 1_000) this.#shown.add(origin)
    const head = styleText('red', `job ${index} failed`, { stream: process.stderr })
    const place = visible(`(${node}, ${formatDuration(ms)})`)
    const text = isKnown ? visible(`${error.name}: ${error.message}`) : errorText(error)
    return `${head} ${place}: ${text}`
  }
}
