/** `kill -9` for one of two executors in the middle of a run: what is lost, and how long nothing happens. */
import type { ChildProcess } from 'node:child_process'
import type { Bench, Suite } from './suite.ts'
import { startBullMq } from './systems/bullmq.ts'
import { startDistNode } from './systems/dist-node.ts'
import { MissingError, type RunningSystem } from './systems/system.ts'

const JOBS = 200
const JOB_MS = 20

interface Subject {
  readonly name: string
  readonly start: () => Promise<{ system: RunningSystem; victim: ChildProcess }>
}

export const suite: Suite = {
  name: 'kill',
  about: `kill -9 of one of two executors in the middle of ${JOBS} jobs of ${JOB_MS} ms; the one left needs 2,000 ms`,
  async run(bench: Bench): Promise<void> {
    const subjects: Subject[] = [
      {
        name: 'dist-node',
        async start() {
          const system = await startDistNode(bench.folder, { executors: 2, slots: 1 })
          return { system, victim: system.executors[0]!.process }
        }
      },
      {
        // With its default of 30 s for both it takes a minute.
        name: 'bullmq',
        async start() {
          const system = await startBullMq(bench.folder, { lockDuration: 2_000, stalledInterval: 1_000 })
          return { system, victim: system.workers[0]! }
        }
      }
    ]
    const wanted = subjects.filter(({ name }) => bench.wants(name))
    await bench.alternate(wanted, ({ name, start }) => measure(bench, name, start))
    bench.note(
      'bullmq was told lockDuration 2 s and stalledInterval 1 s; with its defaults it takes a minute'
    )
  }
}

async function measure(bench: Bench, system: string, start: Subject['start']): Promise<void> {
  let running: Awaited<ReturnType<Subject['start']>>
  try {
    running = await start()
  } catch (error) {
    if (!(error instanceof MissingError)) throw error
    return bench.note(`${system} left out: ${error.message}`)
  }
  await using subject = running.system
  const inputs = Array.from({ length: JOBS }, () => JOB_MS)
  let results = 0
  let killedMs = 0
  let lastMs = 0
  let gapMs = 0
  await subject.runAll('spin', inputs, () => {
    const now = performance.now()
    if (++results > JOBS / 2) gapMs = Math.max(gapMs, now - lastMs)
    lastMs = now
    if (results !== JOBS / 2) return
    killedMs = now
    running.victim.kill('SIGKILL')
  })
  const record = (workload: string, value: number, unit: string, better: 'more' | 'less'): void =>
    bench.record({ workload, system, value, unit, better })
  record('results', results, `of ${JOBS}`, 'more')
  record('from the kill to the last result', lastMs - killedMs, 'ms', 'less')
  record('longest time without a result', gapMs, 'ms', 'less')
}
