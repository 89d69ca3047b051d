/** Two of five executors slowed to a fifth and one killed in the middle of a run: beside what the rest could do at best. */
import { readdirSync, readFileSync } from 'node:fs'
import { nap } from './jobs.ts'
import { sum } from './statistics.ts'
import type { Bench, Suite } from './suite.ts'
import { startDistNode } from './systems/dist-node.ts'

const EXECUTORS = 5
const SLOTS = 2
const SLOWED = [1, 2]
const KILLED = 3

/** A slowed executor runs for so long, then stands still for so long. */
const RUNS_MS = 10
const STANDS_MS = 40

export const suite: Suite = {
  name: 'stragglers',
  about: `${EXECUTORS} executors with ${SLOTS} slots, two slowed to about a fifth, one killed after a quarter of the jobs`,
  async run(bench: Bench): Promise<void> {
    if (!bench.wants('dist-node')) return
    const jobs = bench.quick ? 500 : 2_000
    const workload = `${jobs.toLocaleString('en')} jobs of 2 to 42 ms`
    await bench.alternate([{ name: 'dist-node' }], async ({ name: system }) => {
      const { results, ofPossible } = await measure(bench, jobs)
      bench.record({ workload, system, value: results, unit: `results, each once`, better: 'more' })
      bench.record({ workload, system, value: ofPossible, unit: 'of what is possible', better: 'more' })
    })
    bench.note(
      'jobs sleep, so that ten slots fit on any machine; possible: by the speed each executor turned out to have'
    )
  }
}

interface Share {
  /** Sum of what the jobs were to take, and of what they took. */
  wantedMs: number
  tookMs: number
}

async function measure(bench: Bench, jobs: number): Promise<{ results: number; ofPossible: number }> {
  await using system = await startDistNode(bench.folder, { executors: EXECUTORS, slots: SLOTS })
  const { node, executors } = system
  const lengths = Array.from({ length: jobs }, (_, index) => 2 + ((index * 7919) % 41))
  const stop = slow(SLOWED.map((at) => executors[at]!.process.pid!))
  const shares = new Map<string, Share>(executors.map(({ peerId }) => [peerId, { wantedMs: 0, tookMs: 0 }]))
  const seen = new Set<number>()
  let killedMs = 0
  const startedMs = performance.now()
  try {
    for await (const result of node.map(nap, lengths)) {
      if (result.status === 'error') throw result.error
      if (seen.has(result.index)) throw new Error(`two results of job ${result.index}`)
      seen.add(result.index)
      const share = shares.get(result.peer)!
      share.wantedMs += lengths[result.index]!
      share.tookMs += result.ms
      if (seen.size !== Math.round(jobs / 4)) continue
      executors[KILLED]!.process.kill('SIGKILL')
      killedMs = performance.now() - startedMs
    }
  } finally {
    stop()
  }
  const makespanMs = performance.now() - startedMs
  const speeds = executors.map(
    ({ peerId }) => (SLOTS * shares.get(peerId)!.wantedMs) / shares.get(peerId)!.tookMs
  )
  const killed = speeds.splice(KILLED, 1)[0]!
  const possibleMs = (sum(lengths) - killed * killedMs) / sum(speeds)
  return { results: seen.size, ofPossible: possibleMs / makespanMs }
}

/** Lets these processes, and those below them, run for a fifth of the time only. */
function slow(roots: readonly number[]): () => void {
  let stopped: number[] = []
  let timer: NodeJS.Timeout
  const signal = (pids: readonly number[], name: NodeJS.Signals): void => {
    for (const pid of pids) {
      try {
        process.kill(pid, name)
      } catch {
        // It has ended meanwhile.
      }
    }
  }
  const stand = (): void => {
    stopped = withDescendants(roots)
    signal(stopped, 'SIGSTOP')
    timer = setTimeout(run, STANDS_MS)
  }
  const run = (): void => {
    signal(stopped, 'SIGCONT')
    timer = setTimeout(stand, RUNS_MS)
  }
  stand()
  return () => {
    clearTimeout(timer)
    signal(stopped, 'SIGCONT')
  }
}

function withDescendants(roots: readonly number[]): number[] {
  const childrenOf = (pid: number): number[] => {
    try {
      return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
        readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
      )
    } catch {
      return []
    }
  }
  return roots.flatMap((pid) => [pid, ...withDescendants(childrenOf(pid))])
}
