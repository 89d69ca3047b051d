/**
 * What a journal costs: the same jobs without and with one, in turns, submitted by the same node. Time of the clock depends
 * on whatever else the machine does; the processor time of the submitter, which writes the journal, much less.
 */
import { job, type JobLike } from 'dist-node'
import { JOBS } from './jobs.ts'
import type { Bench, Suite } from './suite.ts'
import { type RunningDistNode, startDistNode } from './systems/dist-node.ts'

interface Workload {
  readonly name: string
  readonly jobs: readonly JobLike[]
}

const SUBJECTS = [{ name: 'without' }, { name: 'journal' }] as const

export const suite: Suite = {
  name: 'journal',
  about: 'the same jobs without and with a journal, 2 slots; processor time is that of the submitter',
  async run(bench: Bench): Promise<void> {
    if (!bench.wants('dist-node')) return
    await using system = await startDistNode(bench.folder, { executors: 1, slots: 2 })
    for (const workload of workloads(bench.quick)) {
      await measure(system, workload, false)
      await bench.alternate(
        SUBJECTS,
        async ({ name }) => {
          const { ms, cpuMicros } = await measure(system, workload, name === 'journal')
          const { length } = workload.jobs
          const figure = { workload: workload.name, system: name }
          bench.record({ ...figure, value: (length / ms) * 1000, unit: 'jobs/s', better: 'more' })
          bench.record({ ...figure, value: cpuMicros / length, unit: 'us CPU a job', better: 'less' })
        },
        bench.repetitions * 2
      )
    }
    await resume(bench, system)
  }
}

function workloads(quick: boolean): Workload[] {
  const count = quick ? 10_000 : 100_000
  const label = count.toLocaleString('en')
  const spinning = quick ? 500 : 4_000
  return [
    {
      name: `${label} empty jobs, one function`,
      jobs: Array.from({ length: count }, (_, n) => job(JOBS.empty as (n: number) => void, [n]))
    },
    {
      name: `${label} empty closures`,
      jobs: Array.from({ length: count }, (_, n) => () => void n)
    },
    {
      name: `${spinning.toLocaleString('en')} jobs of 1 ms`,
      jobs: Array.from({ length: spinning }, () => job(JOBS.spin, [1]))
    },
    {
      name: '64 results of 1 MiB',
      jobs: Array.from({ length: 64 }, () => job(JOBS.produce, [1024 * 1024]))
    }
  ]
}

async function measure(
  { node }: RunningDistNode,
  { jobs }: Workload,
  journal: boolean
): Promise<{ ms: number; cpuMicros: number }> {
  const before = process.cpuUsage()
  const startedMs = performance.now()
  const run = node.run(jobs, { journal })
  for await (const result of run) if (result.status === 'error') throw result.error
  const ms = performance.now() - startedMs
  const { user, system } = process.cpuUsage(before)
  if (journal) node.journal.remove(run.id)
  return { ms, cpuMicros: user + system }
}

/** How fast known results come. */
async function resume(bench: Bench, { node }: RunningDistNode): Promise<void> {
  const { name, jobs } = workloads(bench.quick)[1]!
  const run = node.run(jobs, { journal: true })
  for await (const result of run) if (result.status === 'error') throw result.error
  await bench.alternate([{ name: 'resumed' }], async ({ name: system }) => {
    const startedMs = performance.now()
    let known = 0
    for await (const { from } of node.resume(run.id, jobs)) if (from === 'journal') known++
    if (known !== jobs.length) throw new Error(`${known} of ${jobs.length} results were known`)
    const value = (known / (performance.now() - startedMs)) * 1000
    bench.record({ workload: name, system, value, unit: 'jobs/s', better: 'more' })
  })
  const { bytes } = node.journal.run(run.id)
  bench.note(`${name}: ${(bytes / jobs.length).toFixed(0)} bytes a job in the journal`)
  node.journal.remove(run.id)
}
