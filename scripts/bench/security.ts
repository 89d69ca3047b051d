/**
 * What the password's signature costs on top of Noise: processor time for signing and checking the frames in which empty
 * jobs and their results travel. What the sandbox costs is in the suite `worker`.
 */
import { createSecretKey, randomBytes } from 'node:crypto'
import { Uint8ArrayList } from 'uint8arraylist'
import { MESSAGE_TYPES } from '../../src/protocol/messages.ts'
import { allocateFrame, type DirectionKeys, Opener, Sealer } from '../../src/protocol/seal.ts'
import type { Bench, Suite } from './suite.ts'

/** Bytes of one empty job and of its result as they stand in a frame. */
const JOB_BYTES = 12

/** A lonely job, a batch of an idle mesh, a full batch. */
const JOBS_PER_FRAME = [1, 16, 256] as const

/** The rate at which the share of a core is told. */
const JOBS_PER_SECOND = 100_000

export const suite: Suite = {
  name: 'security',
  about: `signing: processor time at ${JOBS_PER_SECOND.toLocaleString('en')} jobs a second, both ways, both ends together`,
  async run(bench: Bench): Promise<void> {
    const sizes = JOBS_PER_FRAME.map((jobs) => ({ name: `${jobs} jobs a frame`, jobs }))
    await bench.alternate(sizes, async ({ name: workload, jobs }) => {
      const micros = measureFrame(jobs, bench.quick ? 2_000 : 20_000) / jobs
      // A job's frame and its result's: each is signed once and checked once.
      const share = (2 * micros * JOBS_PER_SECOND) / 1e6
      bench.record({ workload, system: 'dist-node', value: micros * 2, unit: 'us a job', better: 'less' })
      bench.record({ workload, system: 'dist-node', value: share * 100, unit: '% of a core', better: 'less' })
    })
  }
}

/** Processor time of signing and checking one frame, in microseconds. */
function measureFrame(jobs: number, frames: number): number {
  const keys: DirectionKeys = {
    frame: createSecretKey(randomBytes(32)),
    part: createSecretKey(randomBytes(32))
  }
  const sealer = new Sealer(keys)
  const opener = new Opener(keys)
  const exchange = (count: number): void => {
    for (let n = 0; n < count; n++) {
      const frame = allocateFrame(jobs * JOB_BYTES)
      sealer.seal(MESSAGE_TYPES.jobs, frame)
      opener.open(new Uint8ArrayList(frame))
    }
  }
  exchange(frames / 10)
  const before = process.cpuUsage()
  exchange(frames)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / frames
}
