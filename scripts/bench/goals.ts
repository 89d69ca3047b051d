/** What dist-node wants to reach, beside what this run measured. Printed, never enforced: machines differ. */
import type { Recorder } from './recorder.ts'

export interface Goal {
  readonly work: string
  readonly goal: string
  /** Figures of this run; goals of which something was not measured are left out. */
  readonly measured: string
}

type Find = (suite: string, workload: string, system: string, unit: string) => number | undefined

interface GoalRule {
  readonly work: string
  readonly goal: string
  readonly measure: (find: Find) => number | undefined
  readonly unit: string
}

const RULES: readonly GoalRule[] = [
  ...(['piscina', 'bullmq', 'erlang'] as const).map((system, at) => ({
    work: `100,000 empty jobs, beside ${system}`,
    goal: `at least ${[8, 50, 2][at]} x`,
    unit: 'x',
    measure: (find: Find) => ratio(find, 'empty', '100,000 empty jobs', 'jobs/s', system)
  })),
  {
    work: 'one job at a time, p50, beside the echo of a libp2p stream',
    goal: 'at most 2 x',
    unit: 'x',
    measure: (find) => ratio(find, 'latency', 'one job at a time, p50', 'us', 'libp2p stream')
  },
  ...['argument', 'result'].map((direction) => ({
    work: `64 MiB ${direction}, beside a libp2p stream`,
    goal: 'at least 0.85 x',
    unit: 'x',
    measure: (find: Find) => ratio(find, 'payload', `${direction} 1 x 64 MiB`, 'MB/s', 'libp2p stream')
  })),
  ...['400 x 5 ms', '1 x 1 s beside 199 x 5 ms'].map((workload) => ({
    work: workload,
    goal: 'at least 0.97 of ideal, and 1 x two processes',
    unit: 'of ideal',
    measure: (find: Find) => find('efficiency', workload, 'dist-node', 'of ideal')
  })),
  {
    work: '2,000 jobs, two executors slowed to a fifth, one killed',
    goal: 'at least 0.9 of what is possible',
    unit: 'of what is possible',
    measure: (find) => find('stragglers', '2,000 jobs of 2 to 42 ms', 'dist-node', 'of what is possible')
  },
  {
    work: 'peak memory of a submitter of 1,000,000 jobs',
    goal: 'under 200 MB',
    unit: 'MB',
    measure: (find) => find('memory', '1,000,000 empty jobs from a generator', 'dist-node', 'MB peak')
  },
  {
    work: 'the same beside 100,000 jobs',
    goal: 'at most 1.3 x',
    unit: 'x',
    measure(find) {
      const many = find('memory', '1,000,000 empty jobs from a generator', 'dist-node', 'MB peak')
      const fewer = find('memory', '100,000 empty jobs from a generator', 'dist-node', 'MB peak')
      return many === undefined || fewer === undefined ? undefined : many / fewer
    }
  },
  {
    work: 'dist-node run of one empty job, beside node -e 0',
    goal: 'at most 3 x',
    unit: 'x',
    measure: (find) => ratio(find, 'cold-start', 'one empty job', 'ms', 'node -e 0')
  },
  {
    work: '50 nodes, all of them joined',
    goal: 'within 5,000 ms',
    unit: 'ms',
    measure: (find) => find('mesh', '50 nodes, all of them joined', 'dist-node', 'ms')
  },
  {
    work: '50 nodes, idle, each',
    goal: 'under 0.5 % of a core',
    unit: '% of a core',
    measure: (find) => find('mesh', '50 nodes, idle, each', 'dist-node', '% of a core')
  }
]

export function describeGoals(recorder: Recorder): Goal[] {
  return RULES.flatMap(({ work, goal, unit, measure }) => {
    const value = measure((...key) => recorder.find(...key))
    return value === undefined ? [] : [{ work, goal, measured: `${Number(value.toPrecision(3))} ${unit}` }]
  })
}

function ratio(
  find: Find,
  suite: string,
  workload: string,
  unit: string,
  system: string
): number | undefined {
  const own = find(suite, workload, 'dist-node', unit)
  const other = find(suite, workload, system, unit)
  return own === undefined || other === undefined ? undefined : own / other
}
