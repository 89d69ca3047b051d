/** Runs in a process of its own: does its share of the jobs, one after another, one line for each result. */
import { createInterface } from 'node:readline'
import { JOBS, type JobName } from '../jobs.ts'

console.log('ready')
for await (const line of createInterface({ input: process.stdin })) {
  const { job, inputs } = JSON.parse(line) as { job: JobName; inputs: unknown[] }
  const run = JOBS[job] as (input: unknown) => unknown
  for (const input of inputs) process.stdout.write(`${JSON.stringify(run(input) ?? null)}\n`)
}
