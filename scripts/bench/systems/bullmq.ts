/** BullMQ: a queue in Redis, two worker processes, results by way of its event stream. */
import type { ChildProcess } from 'node:child_process'
import { childFile, end, Lines, start } from '../child.ts'
import type { JobName } from '../jobs.ts'
import { competitorVersion, loadCompetitor } from './competitors.ts'
import { fromJson, toJson } from './json-bytes.ts'
import { startRedis } from './redis.ts'
import { type RunningSystem, type System, timeEach } from './system.ts'

interface BullJob {
  id: string
  waitUntilFinished(events: QueueEvents): Promise<unknown>
}
interface Queue {
  add(name: string, data: unknown, options: object): Promise<BullJob>
  addBulk(jobs: { name: string; data: unknown; opts: object }[]): Promise<BullJob[]>
  close(): Promise<void>
}
interface QueueEvents {
  on(event: 'completed' | 'failed', listener: (event: { returnvalue: unknown }) => void): void
  off(event: 'completed' | 'failed', listener: (event: { returnvalue: unknown }) => void): void
  waitUntilReady(): Promise<unknown>
  close(): Promise<void>
}
type Connection = { host: string; port: number }
interface BullMq {
  Queue: new (name: string, options: object) => Queue
  QueueEvents: new (name: string, options: { connection: Connection }) => QueueEvents
}

/** Redis answers faster to a few long commands than to many short ones. */
const BULK_JOBS = 1_000

const OPTIONS = { removeOnComplete: true, removeOnFail: true }

/** Whoever waits for one job looks it up by its number, so it may not be gone at once. */
const OPTIONS_ONE_BY_ONE = { removeOnComplete: 1_000, removeOnFail: 1_000 }

export const bullmq: System = {
  name: 'bullmq',
  start: (folder) => startBullMq(folder, {})
}

export interface RunningBullMq extends RunningSystem {
  readonly workers: readonly ChildProcess[]
}

/** @param workerOptions what to tell the workers besides their defaults */
export async function startBullMq(folder: string, workerOptions: object): Promise<RunningBullMq> {
  const { Queue, QueueEvents } = (await loadCompetitor('bullmq')) as unknown as BullMq
  const redis = await startRedis(folder)
  const connection = { host: '127.0.0.1', port: redis.port }
  const name = 'bench'
  // Events of long runs must not be trimmed away before they are read.
  const queue = new Queue(name, { connection, streams: { events: { maxLen: 1_000_000 } } })
  const events = new QueueEvents(name, { connection })
  await events.waitUntilReady()
  const workers = await Promise.all(
    [0, 1].map(async () => {
      const args = [childFile('bullmq-worker.ts'), name, String(redis.port), JSON.stringify(workerOptions)]
      const worker = await start(process.execPath, args)
      await new Lines(worker.stdout, 'bullmq worker').find(/ready/)
      return worker
    })
  )
  async function run(
    job: JobName,
    inputs: readonly unknown[],
    onValue?: (value: unknown) => void
  ): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    let left = inputs.length
    const onEvent = ({ returnvalue }: { returnvalue: unknown }): void => {
      const value = fromJson(returnvalue)
      onValue?.(value)
      if (--left === 0) resolve()
    }
    events.on('completed', onEvent)
    for (let from = 0; from < inputs.length; from += BULK_JOBS) {
      const some = inputs.slice(from, from + BULK_JOBS)
      await queue.addBulk(some.map((input) => ({ name: job, data: toJson(input), opts: OPTIONS })))
    }
    await promise
    events.off('completed', onEvent)
  }
  return {
    name: 'bullmq',
    details: `bullmq ${competitorVersion('bullmq')}, redis ${redis.version} without persistence, 2 worker processes`,
    workers,
    async runAll(job, inputs, onValue): Promise<number> {
      const started = performance.now()
      await run(job, inputs, onValue)
      return performance.now() - started
    },
    runOneByOne: (job, inputs) =>
      timeEach(inputs, async (input) =>
        fromJson(await (await queue.add(job, toJson(input), OPTIONS_ONE_BY_ONE)).waitUntilFinished(events))
      ),
    async [Symbol.asyncDispose](): Promise<void> {
      await Promise.all(workers.map((worker) => end(worker)))
      await events.close()
      await queue.close()
      await redis[Symbol.asyncDispose]()
    }
  }
}
