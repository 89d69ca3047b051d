/**
 * The long chaos run:
 *
 *     npm run chaos -- --minutes 30 --seed 7
 *
 * Prints its seed, every fault and a report; exits with 1 when something was lost, doubled, wrong or left behind.
 */
import { parseArgs } from 'node:util'
import { chaos } from './chaos.ts'
import { missingBuild } from './nodes.ts'
import { missingRights } from './rights.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    executors: { type: 'string', default: '4' },
    jobs: { type: 'string', default: '2000' }
  }
})
const missing = missingRights() ?? missingBuild()
if (missing !== undefined) {
  console.error(missing)
  process.exit(1)
}
console.log(`seed ${values.seed}`)
const report = await chaos({
  seed: Number(values.seed),
  durationMs: Number(values.minutes) * 60_000,
  executors: Number(values.executors),
  jobs: Number(values.jobs),
  log: (line) => console.log(line)
})
console.log(JSON.stringify({ seed: Number(values.seed), ...report }, undefined, 2))
process.exitCode = report.defects.length === 0 ? 0 : 1
