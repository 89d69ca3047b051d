/** What every system under comparison can be asked to do. Times are taken next to the work, by the system itself. */
import type { JobName } from '../jobs.ts'

export interface System {
  readonly name: string
  /** @throws {MissingError} when something it needs is not on this machine */
  start(folder: string): Promise<RunningSystem>
}

export interface RunningSystem extends AsyncDisposable {
  readonly name: string
  /** Version and how it was set up, for the report. */
  readonly details: string
  /** Calls the job with each input, all at once, and waits for every result. Milliseconds. */
  readonly runAll: (
    job: JobName,
    inputs: readonly unknown[],
    onValue?: (value: unknown) => void
  ) => Promise<number>
  /** Calls the job with each input, each as soon as the result of the one before is here. Milliseconds of each. */
  readonly runOneByOne: (job: JobName, inputs: readonly unknown[]) => Promise<number[]>
}

/** Something is not installed here: the system is left out of the comparison, with this message. */
export class MissingError extends Error {
  override readonly name = 'MissingError'
}

/** Times one call after another. */
export async function timeEach(
  inputs: readonly unknown[],
  call: (input: unknown) => Promise<unknown>
): Promise<number[]> {
  const times: number[] = []
  for (const input of inputs) {
    const started = performance.now()
    await call(input)
    times.push(performance.now() - started)
  }
  return times
}
