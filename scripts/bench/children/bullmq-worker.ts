/** Runs in a process of its own: a BullMQ worker that takes one job at a time. Arguments: queue, port of Redis, options. */
import { JOBS, type JobName } from '../jobs.ts'
import { loadCompetitor } from '../systems/competitors.ts'
import { fromJson, toJson } from '../systems/json-bytes.ts'

interface Worker {
  waitUntilReady(): Promise<unknown>
}
type WorkerClass = new (
  queue: string,
  run: (job: { name: string; data: unknown }) => Promise<unknown>,
  options: object
) => Worker

const [queue = '', port = '', options = '{}'] = process.argv.slice(2)
const Worker = (await loadCompetitor('bullmq'))['Worker'] as WorkerClass
const worker = new Worker(
  queue,
  async ({ name, data }) => toJson((JOBS[name as JobName] as (input: unknown) => unknown)(fromJson(data))),
  {
    connection: { host: '127.0.0.1', port: Number(port) },
    concurrency: 1,
    ...(JSON.parse(options) as object)
  }
)
await worker.waitUntilReady()
console.log('ready')
process.on('SIGTERM', () => process.exit(0))
