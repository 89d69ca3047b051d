/**
 * Two bare processes that know their share beforehand: what remains when there is no scheduler, no queue and no
 * network. The shares are the best there are: longest job first, each to the process with less to do.
 */
import { childFile, end, Lines, start } from '../child.ts'
import type { JobName } from '../jobs.ts'
import { sum } from '../statistics.ts'
import type { RunningSystem, System } from './system.ts'

export const processes: System = {
  name: 'two processes',
  async start(): Promise<RunningSystem> {
    const children = await Promise.all(
      [0, 1].map(async () => {
        const child = await start(process.execPath, [childFile('processes-worker.ts')])
        const lines = new Lines(child.stdout, 'worker process')
        await lines.find(/ready/)
        return { child, lines }
      })
    )
    async function runShare(at: number, job: JobName, inputs: readonly unknown[]): Promise<void> {
      const { child, lines } = children[at]!
      child.stdin?.write(`${JSON.stringify({ job, inputs })}\n`)
      for (let left = inputs.length; left > 0; left--) await lines.next()
    }
    return {
      name: 'two processes',
      details: 'two bare Node processes, each told its share of the jobs at once through a pipe',
      async runAll(job, inputs): Promise<number> {
        const shares = split(inputs)
        const started = performance.now()
        await Promise.all(shares.map((share, at) => runShare(at, job, share)))
        return performance.now() - started
      },
      async runOneByOne(job, inputs): Promise<number[]> {
        const times: number[] = []
        for (const input of inputs) {
          const started = performance.now()
          await runShare(0, job, [input])
          times.push(performance.now() - started)
        }
        return times
      },
      async [Symbol.asyncDispose](): Promise<void> {
        await Promise.all(children.map(({ child }) => end(child)))
      }
    }
  }
}

/** Longest processing time first (Graham, 1969), by the inputs, which are times in the workloads this is for. */
function split(inputs: readonly unknown[]): [number[], number[]] {
  const shares: [number[], number[]] = [[], []]
  for (const input of inputs.map((value) => Number(value ?? 0)).toSorted((a, b) => b - a)) {
    shares[shareMs(shares[0]) <= shareMs(shares[1]) ? 0 : 1].push(input)
  }
  return shares
}

function shareMs(share: readonly number[]): number {
  return sum(share) + share.length / 1e6
}
