import type { StateOptions } from '../state-options.ts'
import { type JobResult, openJournal } from '../../index.ts'
import { EXIT } from '../exit.ts'
import { log } from '../log.ts'
import { printResults } from '../print-results.ts'

export interface ResultsOptions extends StateOptions {
  ordered?: boolean
  out?: string
  exit: (code: number) => void
}

export async function printAgain(run: string, options: ResultsOptions): Promise<void> {
  const results = openJournal(options.dir).results(run, {
    ordered: options.ordered === true,
    onWarning: (message) => log.warn(message)
  })
  const screen = { write: (stream: NodeJS.WriteStream, line: string) => stream.write(`${line}\n`) }
  await printResults(
    watched(results, () => options.exit(EXIT.jobFailed)),
    options,
    screen
  )
}

async function* watched(results: Iterable<JobResult>, onFailure: () => void): AsyncGenerator<JobResult> {
  for (const result of results) {
    if (result.status === 'error') onFailure()
    yield result
  }
}
