/** A jobs file: so many empty jobs from a generator; says how much memory the command that read it took at the peak. */
import { job, type JobResult } from 'dist-node'
import { empty } from '../jobs.ts'
import { peakMb } from '../peak-memory.ts'

export default function* manyJobs([count]: readonly string[]): Generator {
  for (let n = 0; n < Number(count); n++) yield job(empty as (n: number) => void, [n])
}

export async function collect(results: AsyncIterable<JobResult>): Promise<void> {
  const started = performance.now()
  let count = 0
  for await (const { status } of results) if (status === 'ok') count++
  const jobsPerSecond = Math.round((count / (performance.now() - started)) * 1000)
  console.log(`peak ${peakMb().toFixed(1)} MB, ${jobsPerSecond} jobs/s, ${count} jobs`)
}
